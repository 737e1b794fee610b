//! The table of codes: each with its status, and what it means in English and Chinese.

use axum::http::StatusCode;
use domain::DomainError;
use kernel::ErrorClass;

macro_rules! codes {
    ($($code:ident = $word:literal, $status:ident, $title:literal, $title_zh:literal;)+) => {
        /// What can be wrong, by a stable word that clients may rely on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code),+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The stable word.
            #[must_use]
            pub const fn word(self) -> &'static str { match self { $(Self::$code => $word),+ } }

            /// The status it comes with.
            #[must_use]
            pub const fn status(self) -> StatusCode { match self { $(Self::$code => StatusCode::$status),+ } }

            /// What it means, in English.
            #[must_use]
            pub const fn title(self) -> &'static str { match self { $(Self::$code => $title),+ } }

            /// What it means, in Chinese.
            #[must_use]
            pub const fn title_zh(self) -> &'static str { match self { $(Self::$code => $title_zh),+ } }
        }
    };
}

codes! {
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be understood", "无法理解该请求";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not valid JSON", "请求体不是合法的 JSON";
    IdempotencyKeyRequired = "idempotency_key_required", BAD_REQUEST,
        "This request needs an Idempotency-Key header", "此请求必须带 Idempotency-Key 请求头";
    IdempotencyKeyInvalid = "idempotency_key_invalid", BAD_REQUEST,
        "The Idempotency-Key must have 1 to 255 visible ASCII characters",
        "Idempotency-Key 必须是 1 到 255 个可见 ASCII 字符";
    SignInFailed = "sign_in_failed", UNAUTHORIZED,
        "The e-mail address, the password or the code is wrong, or there were too many tries: wait and try again",
        "邮箱、密码或验证码有误，或尝试过多：请稍候再试";
    CodeNeeded = "code_needed", UNAUTHORIZED, "A code of the second factor is needed", "需要二次验证码";
    SessionOver = "session_over", UNAUTHORIZED, "The session is over: sign in again", "会话已结束，请重新登录";
    SignatureRequired = "signature_required", UNAUTHORIZED, "Requests of this key have to be signed", "该密钥的请求必须签名";
    SignatureInvalid = "signature_invalid", UNAUTHORIZED,
        "The signature is not that of this request, or its time is not about now", "请求签名无效或时间戳超出范围";
    SignatureReplayed = "signature_replayed", UNAUTHORIZED, "This signature was used before: sign each request anew", "签名已被使用，请重新签名";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid API key or access token is needed", "需要有效的 API 密钥或访问令牌";
    Forbidden = "forbidden", FORBIDDEN, "This is not allowed", "不允许此操作";
    AddressNotAllowed = "address_not_allowed", FORBIDDEN,
        "The key may not be used from this address", "该密钥不允许从此 IP 地址使用";
    InsufficientScope = "insufficient_scope", FORBIDDEN,
        "The API key or the operator may not do this", "该 API 密钥或操作员缺少所需权限";
    UserBlocked = "user_blocked", FORBIDDEN, "The user is blocked", "该用户已被封禁";
    PayoutAddressNotListed = "payout_address_not_listed", FORBIDDEN,
        "The user is not paid to this address", "该用户的提现地址不在名单中";
    OwnPayout = "own_payout", FORBIDDEN,
        "A payout is approved by somebody else than who asked for it", "提现须由申请人以外的人批准";
    OwnProposal = "own_proposal", FORBIDDEN,
        "Another operator has to decide this", "须由另一位操作员决定";
    NotProven = "not_proven", FORBIDDEN,
        "The password or the code is wrong, or there were too many tries: wait and try again",
        "密码或验证码有误，或尝试过多：请稍候再试";
    MoreThanOwn = "more_than_own", FORBIDDEN,
        "Nobody gives, or changes who has, more than he may do himself", "不能授予或修改超出自身权限的内容";
    OwnAccount = "own_account", FORBIDDEN, "Nobody does this to himself: ask another operator", "不能对自己执行此操作，请联系其他操作员";
    RouteNotFound = "route_not_found", NOT_FOUND, "There is no such route", "没有这个接口";
    NotFound = "not_found", NOT_FOUND, "There is no such object", "对象不存在";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED,
        "The route does not have this method", "该接口不支持此请求方法";
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "The body did not arrive in time", "请求体接收超时";
    Conflict = "conflict", CONFLICT, "The object is in another state", "对象当前状态不允许此操作";
    IdempotencyKeyReused = "idempotency_key_reused", CONFLICT,
        "The Idempotency-Key was used for another request", "该 Idempotency-Key 已用于另一个请求";
    InsufficientFunds = "insufficient_funds", CONFLICT, "The balance is too small", "余额不足";
    BalanceTooLarge = "balance_too_large", CONFLICT,
        "The balance would be larger than any that is kept", "余额将超过上限";
    OrderNotCancellable = "order_not_cancellable", CONFLICT,
        "Only a pending order can be cancelled", "只有待处理的订单才能取消";
    WalletNotActive = "wallet_not_active", CONFLICT, "The wallet is not active yet", "钱包尚未激活";
    WalletExists = "wallet_exists", CONFLICT,
        "The address is a wallet of the supplier already, or takes deposits", "该地址已是供应商钱包或充值地址";
    WebhookDisabled = "webhook_disabled", CONFLICT, "The endpoint is disabled", "该 webhook 端点已停用";
    PayoutLimit = "payout_limit", CONFLICT, "A limit of payouts would be exceeded", "超出提现限额";
    StakeRefused = "stake_refused", CONFLICT,
        "The wallet's coin, its stake or a limit of the day does not allow this staking", "钱包余额、质押或每日限额不允许此质押操作";
    PayoutMayBePaid = "payout_may_be_paid", CONFLICT,
        "The payout may be paid already; look at its finding", "该提现可能已支付，请先处理对应的问题";
    PayoutDecided = "payout_decided", CONFLICT,
        "The payout cannot be approved or rejected any more", "该提现已无法批准或拒绝";
    DailyLimit = "daily_limit", CONFLICT,
        "The key may not have so much more spent today", "该密钥当日消费额度不足";
    ApprovalDecided = "approval_decided", CONFLICT,
        "The approval was decided, or its time is over", "该复核事项已处理或已过期";
    ApprovalLimit = "approval_limit", CONFLICT,
        "Too much of what you asked for waits for another operator already", "您提交的待复核事项已达上限";
    DepositAmountsTaken = "deposit_amounts_taken", CONFLICT,
        "Too many deposits of this amount are open", "该金额的待付充值过多";
    ReceiveBelowMinimum = "receive_below_minimum", CONFLICT,
        "The current rate gives less than min_receive", "按当前汇率所得低于 min_receive";
    OrderNotExtendable = "order_not_extendable", CONFLICT,
        "Only a settled order whose time is not over can be extended", "只有已结算且租期未结束的订单可以续租";
    QuoteUsed = "quote_used", CONFLICT, "The quote was used for another order", "该报价已用于另一笔订单";
    QuoteExpired = "quote_expired", CONFLICT, "The quote is over; ask for a new one", "报价已过期，请重新获取";
    NoStock = "no_stock", CONFLICT, "Not so much energy is free now", "当前没有足够的空闲能量";
    HeldTooMuch = "held_too_much", CONFLICT,
        "Quotes of this key hold as much energy as they may", "该密钥的报价预留的能量已达上限";
    LastSuperAdmin = "last_super_admin", CONFLICT,
        "Nobody would be left who may do everything", "至少须保留一位超级管理员";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large", "请求体过大";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE,
        "The body must be application/json", "请求体必须是 application/json";
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "The body has wrong fields", "请求体字段有误";
    InvalidParameter = "invalid_parameter", UNPROCESSABLE_ENTITY, "A parameter is wrong", "参数有误";
    EnergyOutOfRange = "energy_out_of_range", UNPROCESSABLE_ENTITY,
        "More or less energy than is sold in one order", "能量数量超出单笔订单范围";
    DurationOutOfRange = "duration_out_of_range", UNPROCESSABLE_ENTITY,
        "Longer or shorter than is rented", "租用时长超出范围";
    BadPriceTable = "bad_price_table", UNPROCESSABLE_ENTITY,
        "The price table has no band, bands that overlap, or bounds that cannot be", "价格表为空、区间重叠或边界无效";
    NoPrice = "no_price", UNPROCESSABLE_ENTITY, "There is no price for this order", "该订单没有对应的价格";
    QuoteDiffers = "quote_differs", UNPROCESSABLE_ENTITY,
        "The quote is for another energy or duration", "报价对应的能量数量或租用时长与订单不符";
    ReceiverIsSupplier = "receiver_is_supplier", UNPROCESSABLE_ENTITY,
        "The receiver is a wallet of the supplier", "接收地址是供应商自己的钱包";
    AssetNotPaid = "asset_not_paid", UNPROCESSABLE_ENTITY, "This asset is not paid out", "不支持提现该资产";
    PayoutTooSmall = "payout_too_small", UNPROCESSABLE_ENTITY,
        "The amount is below the smallest payout", "提现金额低于最小值";
    PayoutToOurs = "payout_to_ours", UNPROCESSABLE_ENTITY,
        "The address is one of the supplier, or a token's contract", "提现地址是供应商自己的地址或代币合约";
    DepositWayClosed = "deposit_way_closed", UNPROCESSABLE_ENTITY,
        "Deposits are not taken in this way", "暂不支持该充值方式";
    DepositAmountInvalid = "deposit_amount_invalid", UNPROCESSABLE_ENTITY,
        "The amount to deposit is missing, too small or too large", "充值金额缺失、过小或过大";
    DepositOrderAsset = "deposit_order_asset", UNPROCESSABLE_ENTITY,
        "An order is paid for in TRX", "订单只能用 TRX 支付";
    ExchangeAmountInvalid = "exchange_amount_invalid", UNPROCESSABLE_ENTITY,
        "The amount to exchange is too small or too large", "兑换金额过小或过大";
    AddressNeedsPermission = "address_needs_permission", UNPROCESSABLE_ENTITY,
        "An address is given with an active permission; permission 0 is signed by the account's own key",
        "指定地址时须使用活跃权限（permission_id 2 到 9）；权限 0 只能由账户自己的私钥签名";
    BadText = "bad_text", UNPROCESSABLE_ENTITY, "A text or number is not acceptable", "文本或数字不符合要求";
    WeakPassword = "weak_password", UNPROCESSABLE_ENTITY,
        "The password is too short, too long or easy to guess", "密码过短、过长或容易被猜到";
    AmountZero = "amount_zero", UNPROCESSABLE_ENTITY, "The amount must not be zero", "金额不能为零";
    WebhookUrlRefused = "webhook_url_refused", UNPROCESSABLE_ENTITY,
        "Messages are not sent to this address", "不允许向该地址发送消息";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too many requests", "请求过于频繁";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something broke on our side", "服务器内部错误";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE,
        "Temporarily unavailable; try again", "服务暂时不可用，请稍后重试";
    SignInClosed = "sign_in_closed", SERVICE_UNAVAILABLE,
        "Operators cannot sign in: operators.keys is not set", "未设置 operators.keys，操作员无法登录";
    Maintenance = "maintenance", SERVICE_UNAVAILABLE,
        "New orders are stopped for maintenance", "系统维护中，暂停接受新订单";
    PayoutsStopped = "payouts_stopped", SERVICE_UNAVAILABLE,
        "Payouts are stopped; try again later", "提现暂停，请稍后重试";
    RateUnavailable = "rate_unavailable", SERVICE_UNAVAILABLE,
        "There is no fresh exchange rate and nothing was exchanged; see GET /api/rates and try again later",
        "暂无有效汇率，未进行兑换；请查看 GET /api/rates 后稍后重试";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE,
        "Too many requests at once; try again", "并发请求过多，请稍后重试";
    Timeout = "timeout", GATEWAY_TIMEOUT,
        "The request took too long; its outcome is unknown", "请求处理超时，结果未知";
}

impl Code {
    /// The general code of a class; its status is the status of everything in the class.
    #[must_use]
    pub const fn of_class(class: ErrorClass) -> Self {
        match class {
            ErrorClass::NotFound => Self::NotFound,
            ErrorClass::Conflict => Self::Conflict,
            ErrorClass::Invalid => Self::InvalidBody,
            ErrorClass::Unauthenticated => Self::Unauthorized,
            ErrorClass::Forbidden => Self::Forbidden,
            ErrorClass::Limited => Self::RateLimited,
            ErrorClass::Unavailable => Self::Unavailable,
            ErrorClass::Bug => Self::Internal,
        }
    }

    /// The code for a bare status, as the router itself answers it.
    #[must_use]
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::RouteNotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            status if status.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }

    pub(super) fn of_domain(error: &DomainError) -> Self {
        let general = Self::of_class(error.class());
        let word = match error.code() {
            // the reference of an adjustment is its Idempotency-Key
            "reference_reused" => Self::IdempotencyKeyReused.word(),
            word => word,
        };
        let exact = Self::ALL.iter().copied().find(|code| code.word() == word);
        exact
            .filter(|code| code.status() == general.status())
            .unwrap_or(general)
    }
}
