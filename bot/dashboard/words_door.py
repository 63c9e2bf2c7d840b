"""The English sentences of signing in, setting up and one's own account, by key."""

from collections.abc import Mapping

DOOR: Mapping[str, str] = {
    "account.changed": "Your password is changed. Every other browser was signed out.",
    "account.end_one": "Sign out there",
    "account.ended": "Ended. Nobody is signed in there now.",
    "account.ends": (
        "Your account ends soon: {day} is its last day. If you stay, tell whoever keeps the logins."
    ),
    "account.gone": "That one had ended already.",
    "account.here": "this browser",
    "account.list": "Where you are signed in",
    "account.login": "Login",
    "account.no_schools": "None",
    "account.others": "Sign out everywhere else",
    "account.password": "Password",
    "account.password.save": "Change my password",
    "account.recovered": (
        "You used a recovery code. If your phone is gone, ask for a new authenticator."
    ),
    "account.recovery": "Recovery codes and password",
    "account.recovery.left": (
        "You have {left} recovery codes left. Each signs you in once without your phone."
    ),
    "account.recovery.make": "Make ten new codes",
    "account.recovery.text": "New codes take the place of all you have left.",
    "account.role": "Role",
    "account.schools": "Schools",
    "account.since": "since {when}, last used {seen}",
    "account.step": "To change your password or get new codes, prove first that it is you.",
    "account.text": "A session ends after 20 minutes without use, and after 10 hours in any case.",
    "account.title": "My account",
    "login.chat": "Ask me by chat instead",
    "login.chat.back": "Start again",
    "login.chat.early": "There is no reply yet. Reply to the message first, then go on.",
    "login.chat.go": "I have replied, go on",
    "login.chat.hint": (
        "No authenticator at hand? If we know your chat address, type login and password only."
    ),
    "login.chat.none": (
        "No message after a minute? Then login or password was wrong, or we know no chat "
        "address of yours."
    ),
    "login.chat.text": (
        "If login and password are right, a message is on its way to your chat. Reply to it "
        "with this number:"
    ),
    "login.chat.title": "Reply to our message",
    "login.code": "Code",
    "login.code.hint": "Six digits from your app, or a recovery code. Each works once.",
    "login.enter": "Sign in",
    "login.login": "Login",
    "login.over": "That sign-in is over. Start again.",
    "login.password": "Password",
    "login.refused": "That did not work. Check login and password, and wait for a new code.",
    "login.setup": "I have a code from my programme: set up my account",
    "login.text": "For the support team. Families and teachers need no login.",
    "login.title": "Sign in",
    "login.wait": "Too many tries. Wait 15 minutes, then try again.",
    "recovery.on": "Go on",
    "recovery.once": (
        "They are shown only now. Write them down and keep them apart from your phone."
    ),
    "recovery.text": (
        "Your recovery codes. Each takes the place of the authenticator's code once, with "
        "your password."
    ),
    "setup.again": "The new password once more",
    "setup.app": "Your authenticator",
    "setup.app.alt": "QR code for your authenticator app. The same key stands below it as text.",
    "setup.app.key": "Or type this key:",
    "setup.app.text": "Scan this with an authenticator app on your phone.",
    "setup.back": "Back to signing in",
    "setup.bad.app": "Not saved: the code did not fit. Wait for the app's next code and type that.",
    "setup.bad.different": "Not saved: the two passwords differ.",
    "setup.bad.guessed": (
        "Not saved: this password is among the first that are guessed. Choose other words."
    ),
    "setup.bad.login": (
        "Not saved: a login has 2 to 63 of these: a-z 0-9 . - _ @, and begins with a-z or 0-9."
    ),
    "setup.bad.proof": (
        "Not saved: password or code did not fit. Wait for a new code and try again."
    ),
    "setup.bad.short": "Not saved: a password needs at least 12 characters.",
    "setup.bad.taken": "Not saved: there is already such a login.",
    "setup.code": "Your one-time code",
    "setup.code.hint": "16 letters and digits. It works once, within 24 hours.",
    "setup.done": "Done",
    "setup.kind.authenticator": "Your new authenticator. Your password stays as it is.",
    "setup.kind.first": "The first account. It looks after the machine and sees no child.",
    "setup.kind.invite": "Choose your password and set up your authenticator.",
    "setup.kind.password": "Your new password. Your authenticator stays as it is.",
    "setup.login.hint": "2 to 63 of a-z 0-9 . - _ @",
    "setup.open": "Go on",
    "setup.password": "New password",
    "setup.password.hint": (
        "At least 12 characters. Several words are easy to keep. You may paste it from a "
        "password manager."
    ),
    "setup.proof.new": "The six digits the app shows now.",
    "setup.proof.old": "Six digits from your authenticator app, or a recovery code.",
    "setup.refused": "That code does not work. Check it, or ask for a new one.",
    "setup.save": "Save",
    "setup.text": "With the code that your programme gave you.",
    "setup.title": "Set up your account",
    "setup.wait": "Too many tries. Wait 15 minutes, then try again.",
    "step.phone": "Asked to be phoned",
    "step.prove": "Go on",
    "step.refused": "That did not work. Check your password, and wait for a new code.",
    "step.text": "This needs your password and a new code once more. It holds for five minutes.",
    "step.title": "Is it you?",
    "step.wait": "Too many tries. Wait 15 minutes, then try again.",
}
