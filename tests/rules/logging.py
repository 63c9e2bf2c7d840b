def bites(log, logger, inbound, person, error):
    # ruleid: log-of-what-people-are-or-say
    log.info("message_in", text=inbound.text)
    # ruleid: log-of-what-people-are-or-say
    log.error("not_sent", attempts=3, address=person.address)
    # ruleid: log-of-what-people-are-or-say
    log.bind(name=person.name)
    # ruleid: log-event-is-not-a-name
    log.info(inbound)
    # ruleid: log-event-with-values-in-it, log-event-is-not-a-name
    log.warning(f"no answer from {person.name}")
    # ruleid: error-in-the-log
    log.error("not_stored", error=str(error))
    # ruleid: error-in-the-log
    log.error("not_stored", error=error)
    # ruleid: print-in-the-bot
    print(person)


def does_not_bite(log, error):
    # ok: log-of-what-people-are-or-say, log-event-is-not-a-name
    log.info("ready", channels=3)
    # ok: error-in-the-log
    log.error("delivery_failed", error=type(error).__name__)
    # ok: log-event-with-values-in-it
    log.exception("tick_failed", tick="due")
