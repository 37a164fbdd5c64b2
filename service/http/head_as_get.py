"""HEAD, wherever GET is possible: the headers of GET's answer (RFC 9110, 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadAsGet:
    """ASGI middleware: the app sees a GET, whose client is gone as soon as the headers are out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        is_answered = False

        async def receive_until_answered() -> Message:
            return {"type": "http.disconnect"} if is_answered else await receive()

        async def send_headers(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                await send(message)
            elif not is_answered:
                is_answered = True  # and streams, which listen for it, end
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        seen = {**scope, "method": "GET"}
        await self.app(seen, receive_until_answered, send_headers)
        scope.update({name: seen[name] for name in ("route",) if name in seen})  # for those who count requests
