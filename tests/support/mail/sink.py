"""A real mail server (aiosmtpd) on 127.0.0.1. Says "ready PORT"; then, for each message, one line of JSON with what
Python's own parser reads from it. Ends with its standard input, so that nothing is left behind when a test crashes.

    sink.py plain
    sink.py starttls CERTIFICATE KEY [USER PASSWORD]
    sink.py tls CERTIFICATE KEY [USER PASSWORD]
"""
import asyncio
import json
import logging
import os
import ssl
import sys
import threading
import warnings
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_DATA(self, server, session, envelope):
        message = message_from_bytes(envelope.content, policy=policy.default)
        defects = [repr(d) for part in message.walk() for d in part.defects]
        defects += [f"{k}: {d!r}" for part in message.walk() for k, v in part.items() for d in v.defects]
        part = lambda kind: message.get_body((kind,)).get_content()
        print(json.dumps({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
            "login": session.authenticated,
            "headers": [[name, str(value)] for name, value in message.items()],
            "text": part("plain"),
            "html": part("html"),
            "defects": defects,
        }), flush=True)
        return "250 2.0.0 taken"


async def serve(kind, certificate=None, key=None, user=None, password=None):
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)

    def authenticate(server, session, envelope, mechanism, data):
        ok = (data.login, data.password) == (user.encode(), password.encode())
        return AuthResult(success=ok, handled=False)

    def protocol():
        options = {"enable_SMTPUTF8": True, "hostname": "sink.example"}
        if kind == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        if user:
            # It knows of STARTTLS only; TLS from the first byte it takes for plain text.
            options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": kind != "tls"}
        return SMTP(Handler(), **options)

    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if kind == "tls" else None)
    print("ready", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def end_with_input():
    while sys.stdin.buffer.read(1):
        pass
    os._exit(0)


# It warns of what these tests do on purpose.
logging.disable()
warnings.simplefilter("ignore")
threading.Thread(target=end_with_input, daemon=True).start()
asyncio.run(serve(*sys.argv[1:]))
