"""What users read, in English and 中文."""

TEXTS = {
    "menu": ("What would you like to do?", "请选择操作："),
    "b_balance": ("Balance", "余额"),
    "b_deposit": ("Deposit", "充值"),
    "b_rent": ("Rent energy", "闪租能量"),
    "b_wallets": ("My addresses", "我的地址"),
    "b_history": ("History", "历史记录"),
    "balance": ("Your balance:\n{lines}", "您的余额：\n{lines}"),
    "stale": (
        "\n\n(as of {at} UTC; the service does not answer at this moment)",
        "\n\n（数据截至 {at} UTC；服务暂时无响应）",
    ),
    "away": (
        "The service does not answer at this moment. Nothing was charged; please try again in a minute.",
        "服务暂时无响应，未扣款，请一分钟后再试。",
    ),
    "deposit": (
        "Send TRX to this address; it is credited when the network has confirmed it:\n{address}",
        "请向以下地址转入 TRX，网络确认后自动到账：\n{address}",
    ),
    "no_wallets": (
        "You keep no addresses yet. Send me a TRON address (T…) to keep it.",
        "您还没有保存地址。发送一个 TRON 地址（T 开头）即可保存。",
    ),
    "wallets": ("Your addresses:\n{lines}\nSend me another one to keep it.", "您的地址：\n{lines}\n发送新地址即可添加。"),
    "kept": ("{address} is kept. /rent lends energy to it.", "已保存 {address}，使用 /rent 租用能量。"),
    "which_wallet": ("Energy for which address?", "为哪个地址租用能量？"),
    "which_pack": ("How much, and for how long?", "选择能量数量和时长："),
    "pack": ("{energy} for {hours} h", "{energy} 能量 / {hours} 小时"),
    "offer": (
        "{energy} energy for {hours} h to\n{receiver}\nPrice: {price} TRX. It holds until {until} UTC.",
        "{energy} 能量，{hours} 小时，接收地址\n{receiver}\n价格：{price} TRX，有效期至 {until} UTC。",
    ),
    "b_confirm": ("Pay {price} TRX", "支付 {price} TRX"),
    "placed": (
        "Order {order} is placed. The energy arrives within seconds; what cannot be delivered is paid back.",
        "订单 {order} 已提交，能量将在数秒内到账；无法交付将自动退款。",
    ),
    "unknown": (
        "The service did not answer. I go on asking about this same order and tell you what became of it. It cannot be charged "
        "twice, so there is no need to order again.",
        "服务没有响应。我会继续查询同一笔订单并告知结果，不会重复扣款，请勿重复下单。",
    ),
    "refused": ("Not done: {title}. Nothing was charged.", "未完成：{title}。未扣款。"),
    "no_offer": ("This offer is gone. /rent makes a new one.", "该报价已失效，请使用 /rent 重新获取。"),
    "history": ("Your last orders:\n{lines}", "最近的订单：\n{lines}"),
    "no_history": ("You have no orders yet.", "您还没有订单。"),
    "not_understood": (
        "I understand TRON addresses and the buttons below /start.",
        "请发送 TRON 地址，或使用 /start 菜单。",
    ),
}


def text(language: str, name: str, **values: object) -> str:
    """A text in the user's language."""
    english, chinese = TEXTS[name]
    return (chinese if language == "zh" else english).format(**values)


def language_of(code: object) -> str:
    """Telegram's language code as one of ours."""
    return "zh" if isinstance(code, str) and code.lower().startswith("zh") else "en"
