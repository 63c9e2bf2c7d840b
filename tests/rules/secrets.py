import hmac
import random
import uuid


def bites(token, given, request, user, sign):
    # ruleid: secret-compared-with-equals
    if token == given:
        return True
    # ruleid: secret-compared-with-equals
    if request.csrf_token != given:
        return True
    # ruleid: secret-compared-with-equals
    if user.password == given:
        return True
    # ruleid: secret-compared-with-equals
    if make_signature(given) == given:
        return True
    # ruleid: secret-compared-with-equals-on-the-right
    return given == sign.secret


def does_not_bite(token, given, users, digest):
    # ok: secret-compared-with-equals
    if token == "":
        return False
    # ok: secret-compared-with-equals
    if users.c.digest == digest("x"):
        return False
    # ok: secret-compared-with-equals
    return hmac.compare_digest(token, given)


def guessed():
    # ruleid: chance-that-can-be-guessed
    code = random.choice("ABC")
    # ruleid: chance-that-can-be-guessed
    return code, uuid.uuid1()


def jitter():
    # ok: chance-that-can-be-guessed
    return random.random() / 5
