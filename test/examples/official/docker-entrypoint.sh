#!/bin/sh
# As the official one: when the command is nginx, add the IPv6 line to the
# configuration, and go on without if that cannot be written.
set -e
file=/etc/nginx/conf.d/default.conf
if [ "$1" = nginx ] && ! grep -q '\[::\]:80' "$file"; then
	if touch "$file" 2>/dev/null; then
		sed 's/listen 80;/listen 80; listen [::]:80;/' "$file" >/tmp/new
		cat /tmp/new >"$file"
	else
		echo "$0: cannot modify $file" >&2
	fi
fi
exec "$@"
