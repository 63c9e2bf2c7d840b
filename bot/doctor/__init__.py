"""`doctor`: what is wrong with this deployment, and what to do about it.

One module an area; each declares `checks(ctx) -> list[Verdict]` and is found by being here.
"""
