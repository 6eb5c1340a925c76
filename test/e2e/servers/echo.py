"""Answers one message on each socket it was handed, then ends.

Finds the sockets as sd_listen_fds(3) does, and trusts nothing else.
"""
import os
import socket

assert os.environ["LISTEN_PID"] == str(os.getpid())
count = int(os.environ["LISTEN_FDS"])
names = os.environ["LISTEN_FDNAMES"].split(":")
assert len(names) == count
os.write(1, b"ready\n")
for number, name in enumerate(names, 3):
    given = socket.socket(fileno=number)
    given.settimeout(120)
    if given.type == socket.SOCK_DGRAM:
        message, sender = given.recvfrom(100)
        given.sendto(b"%s: %s" % (name.encode(), message), sender)
        continue
    connection, _ = given.accept()
    message = connection.recv(100)
    connection.send(b"%s: %s" % (name.encode(), message))
