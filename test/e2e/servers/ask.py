"""Sends a message to a socket and prints the answer.

usage: ask.py udp PORT MESSAGE | seqpacket PATH MESSAGE | dgram PATH MESSAGE
"""
import os
import socket
import sys

kind, where, message = sys.argv[1:]
if kind == "udp":
    asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    where = ("127.0.0.1", int(where))
elif kind == "dgram":
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    asking.bind(b"\0ask-%d" % os.getpid())
else:
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
asking.settimeout(60)
asking.connect(where)
asking.send(message.encode())
print(asking.recv(100).decode())
