"""Asks 127.0.0.1 for the address of here.test, which must be 192.0.2.7.

usage: dns.py udp|tcp
"""
import socket
import struct
import sys

tcp = sys.argv[1] == "tcp"
query = struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + \
    b"\4here\4test\0" + struct.pack(">2H", 1, 1)
asking = socket.socket(socket.AF_INET,
                       socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
asking.settimeout(60 if tcp else 10)
asking.connect(("127.0.0.1", 53))
asking.send(struct.pack(">H", len(query)) + query if tcp else query)
sys.exit(socket.inet_aton("192.0.2.7") not in asking.recv(512))
