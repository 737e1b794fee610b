"""The API: accepts an order, charges it and enqueues its delivery."""

import hashlib
import hmac
import uuid

from fastapi import Depends, FastAPI, Header, HTTPException, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from store import API_KEY, IdempotencyKey, Order, Session, Transfer, User, now
from tasks import deliver

app = FastAPI()
PRICE_MILLISUN_PER_ENERGY = 90_000


class CreateOrder(BaseModel):
    user_id: int = Field(gt=0)
    receiver: str = Field(pattern=r"^T[1-9A-HJ-NP-Za-km-z]{33}$")
    energy: int = Field(ge=10_000, le=10_000_000)
    duration_s: int = Field(ge=300, le=2_592_000)


class OrderView(BaseModel):
    id: str
    user_id: int
    receiver: str
    energy: int
    duration_s: int
    price_sun: int
    state: str


def caller(authorization: str = Header()) -> None:
    if not hmac.compare_digest(authorization, f"Bearer {API_KEY}"):
        raise HTTPException(401)


@app.get("/health")
def health() -> str:
    return "ok"


@app.post("/api/orders", status_code=201, dependencies=[Depends(caller)])
def create_order(body: CreateOrder, response: Response, idempotency_key: str = Header(max_length=255)) -> OrderView:
    request_sha256 = hashlib.sha256(body.model_dump_json().encode()).hexdigest()
    order_id = str(uuid.uuid4())
    with Session.begin() as session:
        claim = insert(IdempotencyKey).values(key=idempotency_key, request_sha256=request_sha256, order_id=order_id)
        if session.execute(claim.on_conflict_do_nothing()).rowcount == 0:
            earlier = session.get_one(IdempotencyKey, idempotency_key)
            if earlier.request_sha256 != request_sha256:
                raise HTTPException(409, "the key was used for another request")
            response.status_code = 200
            return view(session.get_one(Order, earlier.order_id))
        user = session.scalar(select(User).where(User.id == body.user_id).with_for_update())
        price_sun = body.energy * PRICE_MILLISUN_PER_ENERGY // 1000
        if user is None or user.balance_sun < price_sun:
            raise HTTPException(402, "insufficient funds")
        user.balance_sun -= price_sun
        order = Order(id=order_id, price_sun=price_sun, state="pending", created_at=now(), **body.model_dump())
        session.add(order)
        session.flush()
        session.add(Transfer(event=f"order:{order_id}:hold", debit=f"user:{user.id}", credit="escrow",
                             amount_sun=price_sun, order_id=order_id, created_at=now()))
    deliver.delay(order_id)
    return view(order)


def view(order: Order) -> OrderView:
    return OrderView.model_validate(order, from_attributes=True)
