// What the page says, in English and Chinese. A test holds that both have the same names.

const TEXTS = {
  en: {
    other: "中文", signIn: "Sign in", email: "E-mail address", password: "Password",
    code: "Code of the second factor", firstCode: "Code, if a second factor is set up", go: "Go on",
    withKey: "Or with an API key", key: "API key with operations:read", leave: "Sign out", account: "My account",
    byKey: "by an API key", everywhere: "Sign out everywhere", over: "The session is over. Sign in again.",
    goesOn: "You are signed out here, but the API did not hear of it. The session ends by itself when nobody uses it.",
    newPassword: "Choose a password of your own", changePassword: "Change the password",
    givenPassword: "Password that you were given", oldPassword: "Password until now",
    nextPassword: "New password with 12 to 128 characters", sameAgain: "The new password again",
    differ: "The two new passwords are not the same.", changed: "Changed. All other sessions are over.",
    enrol: "Set up a second factor", another: "Set up another second factor", ownPassword: "Your password again",
    howEnrol: "Type this secret into an authenticator app or open the link with it. Then type the code that it shows.",
    untilThen: "It counts once that code was right. One that you had before counts until then.",
    noSpare: "There are no spare codes. Should the app be lost, another operator resets your second factor.",
    secret: "Secret", link: "Link", confirm: "Confirm the second factor", anew: "Make another secret",
    sessions: "Where I am signed in", agent: "Program", address: "From", begun: "Begun", used: "Last used", ends: "Ends",
    here: "here", end: "Sign out there",
    approvals: "Waiting for a second operator", asked: "Asked by", request: "What", approve: "Approve", reject: "Reject",
    queues: "Queues", switches: "Switches", dead: "Dead jobs", stuck: "Stuck objects", findings: "Open findings",
    actions: "Done by hand",
    queue: "Queue", kind: "Kind", due: "Due", oldest: "Oldest", running: "Running", later: "Later", deadCount: "Dead",
    object: "Object", since: "Since", runs: "Runs", why: "Why", state: "State", job: "Its job", todo: "What to do",
    severity: "Severity", subject: "About", seen: "Seen", detail: "Detail", who: "Who", action: "Action", name: "Name",
    count: "Changed", reason: "Reason", none: "None.", all: "all kinds", more: "There are more; these come first.",
    redrive: "Re-drive", drop: "Drop", resolve: "Resolve", redriveAll: "Re-drive all", dropAll: "Drop all",
    pause: "Pause", resume: "Resume", paused: "Paused", active: "goes on", stop: "Stop", allow: "Allow", stopped: "stopped",
    askAll: (what, n) => `${what}: ${n}?`, askReason: (what) => `${what}: why?`, nothing: "Nothing fits.",
    sure: (what) => `${what}?`, did: (what, n) => `${what}: ${n}`, done: (what) => `${what}: done`,
    updated: (time) => `As of ${time}`, offline: "The API does not answer. Try again, the page does so too.",
    wait: (title, s) => `${title}. Again in ${s} s.`, broken: (status) => `The API answered ${status} and nothing readable.`,
    nobody: "You may see nothing here. Ask for a role.", soon: "What you may do counts in some seconds.",
  },
  zh: {
    other: "English", signIn: "登录", email: "邮箱", password: "密码",
    code: "二次验证码", firstCode: "二次验证码（已启用时填写）", go: "继续",
    withKey: "或使用 API 密钥", key: "具有 operations:read 权限的 API 密钥", leave: "退出", account: "我的账户",
    byKey: "使用 API 密钥", everywhere: "退出所有会话", over: "会话已结束，请重新登录。",
    goesOn: "本页已退出，但接口未收到通知。会话将在闲置后自动结束。",
    newPassword: "请设置自己的密码", changePassword: "修改密码",
    givenPassword: "收到的初始密码", oldPassword: "当前密码",
    nextPassword: "新密码（12 到 128 个字符）", sameAgain: "再次输入新密码",
    differ: "两次输入的新密码不一致。", changed: "已修改，其他会话均已结束。",
    enrol: "设置二次验证", another: "更换二次验证", ownPassword: "再次输入密码",
    howEnrol: "在身份验证器中输入此密钥，或用它打开链接，然后填写显示的验证码。",
    untilThen: "验证码确认无误后生效；此前已有的二次验证在此之前仍然有效。",
    noSpare: "没有备用验证码。如验证器丢失，请由其他操作员重置您的二次验证。",
    secret: "密钥", link: "链接", confirm: "确认二次验证", anew: "重新生成密钥",
    sessions: "我的会话", agent: "程序", address: "来源", begun: "开始", used: "最近使用", ends: "到期",
    here: "当前", end: "退出该会话",
    approvals: "等待复核", asked: "申请人", request: "内容", approve: "批准", reject: "拒绝",
    queues: "队列", switches: "开关", dead: "死信任务", stuck: "卡住的对象", findings: "未解决的异常",
    actions: "人工操作记录",
    queue: "队列", kind: "类型", due: "待执行", oldest: "最久等待", running: "执行中", later: "稍后", deadCount: "死信",
    object: "对象", since: "已持续", runs: "次数", why: "原因", state: "状态", job: "对应任务", todo: "处理办法",
    severity: "级别", subject: "对象", seen: "次数", detail: "详情", who: "操作人", action: "操作", name: "名称",
    count: "数量", reason: "理由", none: "没有。", all: "所有类型", more: "还有更多，先显示这些。",
    redrive: "重新执行", drop: "丢弃", resolve: "标记已解决", redriveAll: "全部重新执行", dropAll: "全部丢弃",
    pause: "暂停", resume: "恢复", paused: "已暂停", active: "运行中", stop: "停止", allow: "允许", stopped: "已停止",
    askAll: (what, n) => `${what}：${n} 个？`, askReason: (what) => `${what}：请填写理由`, nothing: "没有符合的对象。",
    sure: (what) => `${what}？`, did: (what, n) => `${what}：${n}`, done: (what) => `${what}：已完成`,
    updated: (time) => `更新于 ${time}`, offline: "接口没有响应，请重试，页面也会继续尝试。",
    wait: (title, s) => `${title}，请在 ${s} 秒后重试。`, broken: (status) => `接口返回 ${status}，内容无法识别。`,
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
