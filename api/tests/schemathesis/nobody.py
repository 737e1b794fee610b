"""What is answered to nobody."""

import schemathesis

# who calls these has yet to show who he is
ANYBODYS = {"/api/auth/sign-in", "/api/auth/refresh"}


@schemathesis.check
def nobody_is_served(ctx, response, case):
    """Without a right key an answer is 401 and says how to ask, whatever is asked for."""
    if case.path in ANYBODYS:
        return
    problem = response.json()
    assert (response.status_code, problem["code"]) == (401, "unauthorized"), problem
    assert response.headers["www-authenticate"][0].startswith("Bearer"), response.headers
    assert response.headers["content-type"] == ["application/problem+json"], response.headers
