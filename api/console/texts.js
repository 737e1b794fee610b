// What the page says, in English and Chinese. A test holds that both have the same names.

const TEXTS = {
  en: {
    other: "中文", signIn: "Sign in", email: "E-mail address", password: "Password",
    firstCode: "Code, if a second factor is set up", go: "Go on",
    withKey: "Or with an API key", key: "API key with operations:read", leave: "Sign out",
    byKey: "by an API key", over: "The session is over. Sign in again.",
    goesOn: "You are signed out here, but the API did not hear of it. The session ends by itself when nobody uses it.",
    approvals: "Waiting for a second operator", asked: "Asked by", request: "What", approve: "Approve", reject: "Reject",
    queues: "Queues", dead: "Dead jobs", stuck: "Stuck objects", findings: "Open findings",
    actions: "Done by hand",
    queue: "Queue", kind: "Kind", due: "Due", oldest: "Oldest", running: "Running", later: "Later", deadCount: "Dead",
    object: "Object", since: "Since", runs: "Runs", why: "Why", state: "State", job: "Its job", todo: "What to do",
    severity: "Severity", subject: "About", seen: "Seen", detail: "Detail", who: "Who", action: "Action",
    count: "Changed", reason: "Reason", none: "None.", all: "all kinds", more: "There are more; these come first.",
    redrive: "Re-drive", drop: "Drop", resolve: "Resolve", redriveAll: "Re-drive all", dropAll: "Drop all",
    pause: "Pause", resume: "Resume", paused: "Paused",
    askAll: (what, n) => `${what}: ${n}?`, askReason: (what) => `${what}: why?`, nothing: "Nothing fits.",
    did: (what, n) => `${what}: ${n}`, done: (what) => `${what}: done`,
    updated: (time) => `As of ${time}`, offline: "The API does not answer. Try again, the page does so too.",
    wait: (title, s) => `${title}. Again in ${s} s.`, broken: (status) => `The API answered ${status} and nothing readable.`,
    first: "First choose a password of your own and set up a second factor (docs/API.md).",
    nobody: "You may see nothing here. Ask for a role.", soon: "What you may do counts in some seconds.",
  },
  zh: {
    other: "English", signIn: "登录", email: "邮箱", password: "密码",
    firstCode: "二次验证码（已启用时填写）", go: "继续",
    withKey: "或使用 API 密钥", key: "具有 operations:read 权限的 API 密钥", leave: "退出",
    byKey: "使用 API 密钥", over: "会话已结束，请重新登录。",
    goesOn: "本页已退出，但接口未收到通知。会话将在闲置后自动结束。",
    approvals: "等待复核", asked: "申请人", request: "内容", approve: "批准", reject: "拒绝",
    queues: "队列", dead: "死信任务", stuck: "卡住的对象", findings: "未解决的异常",
    actions: "人工操作记录",
    queue: "队列", kind: "类型", due: "待执行", oldest: "最久等待", running: "执行中", later: "稍后", deadCount: "死信",
    object: "对象", since: "已持续", runs: "次数", why: "原因", state: "状态", job: "对应任务", todo: "处理办法",
    severity: "级别", subject: "对象", seen: "次数", detail: "详情", who: "操作人", action: "操作",
    count: "数量", reason: "理由", none: "没有。", all: "所有类型", more: "还有更多，先显示这些。",
    redrive: "重新执行", drop: "丢弃", resolve: "标记已解决", redriveAll: "全部重新执行", dropAll: "全部丢弃",
    pause: "暂停", resume: "恢复", paused: "已暂停",
    askAll: (what, n) => `${what}：${n} 个？`, askReason: (what) => `${what}：请填写理由`, nothing: "没有符合的对象。",
    did: (what, n) => `${what}：${n}`, done: (what) => `${what}：已完成`,
    updated: (time) => `更新于 ${time}`, offline: "接口没有响应，请重试，页面也会继续尝试。",
    wait: (title, s) => `${title}，请在 ${s} 秒后重试。`, broken: (status) => `接口返回 ${status}，内容无法识别。`,
    first: "请先设置自己的密码并启用二次验证（见 docs/API.md）。",
    nobody: "您没有可查看的内容，请申请角色。", soon: "权限将在数秒后生效。",
  },
};

export let language = (navigator.language || "en").startsWith("zh") ? "zh" : "en";

export function changeLanguage() {
  language = language === "zh" ? "en" : "zh";
}

export function t(name) {
  return TEXTS[language][name];
}
