#!/usr/bin/env bats
# The environment of the application: what is set, what is removed, what stays.

# shellcheck source-path=SCRIPTDIR
. "$BATS_TEST_DIRNAME/helpers.bash"

setup_file()
{
	need env
	net_up
}

setup()
{
	root=$tmp/root
	make_scratch "$root"
	make_people "$root"
}

# HOME is what is looked at, so no option sets it.
as_4242()
{
	stepdown --user=4242:4242 "$@"
}

# with NAME=VALUE... : from here on, exactly these are in the environment.
with()
{
	before=(env -i "$@")
}

# with_net NAME=VALUE... : the same, in the network of our own
with_net()
{
	before=(nsenter --target "$net_holder" --net -- env -i "$@")
}

# environment_is NAME=VALUE... : these and no other, in whatever order
environment_is()
{
	local wanted seen

	wanted=$(printf 'env.%s\n' "$@" | sort)
	seen=$(grep '^env\.' "$out" | sort)
	[ "$seen" = "$wanted" ] ||
		fail_seen 'the environment should be:' "$wanted" 'it is:' "$seen"
}

@test "HOME that is unset becomes the target's" {
	with A=1
	witnessed
	environment_is A=1 HOME=/
	with A=1
	in_root --user=app
	environment_is A=1 HOME=/home/app USER=app LOGNAME=app \
		SHELL=/bin/false
}

@test "HOME that is still root's becomes the target's, and USER, LOGNAME too" {
	with HOME=/root USER=root LOGNAME=root
	in_root --user=app
	environment_is HOME=/home/app USER=app LOGNAME=app \
		SHELL=/bin/false
	with HOME=/superuser USER=root LOGNAME=root
	in_root --user=app
	environment_is HOME=/home/app USER=app LOGNAME=app \
		SHELL=/bin/false
	with HOME=/superuser
	in_root --user=loner
	environment_is HOME=/home/loner USER=loner LOGNAME=loner \
		SHELL=/bin/false
}

@test "a target without a name is not called root" {
	with HOME=/root USER=root LOGNAME=root
	witnessed
	says env.HOME=/
	! grep -Eq '^env\.(USER|LOGNAME)=root$' "$out" || fail_seen 'it is'
}

@test "HOME that somebody chose stays, and USER and LOGNAME with it" {
	with HOME=/srv USER=somebody LOGNAME=somebody
	in_root --user=app
	environment_is HOME=/srv USER=somebody LOGNAME=somebody
	with HOME=/srv USER=somebody LOGNAME=somebody
	witnessed
	environment_is HOME=/srv USER=somebody LOGNAME=somebody
}

@test "everything else stays as it was" {
	with HOME=/srv A= B=b=b 'C=two words' $'D=a\nb' 'lower=1' '1=1' X_Y=z
	witnessed
	environment_is HOME=/srv A= B=b=b 'C=two words' 'D=a\x0ab' \
		lower=1 1=1 X_Y=z
}

@test "systemd: LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES" {
	with_net HOME=/srv
	witnessed --listen=tcp://0.0.0.0:80 --listen='tcp://[::]:80'
	environment_is HOME=/srv LISTEN_FDS=2 "LISTEN_PID=$(witness pid)" \
		LISTEN_FDNAMES=unknown:unknown
	witnessed --handoff=systemd --listen=web=tcp://0.0.0.0:80 \
		--listen=tcp://0.0.0.0:81 --listen='admin-1=tcp://*:82'
	environment_is HOME=/srv LISTEN_FDS=3 "LISTEN_PID=$(witness pid)" \
		LISTEN_FDNAMES=web:unknown:admin-1
}

@test "nginx: NGINX, each number followed by a semicolon" {
	with_net HOME=/srv
	witnessed --handoff=nginx --listen=tcp://0.0.0.0:80
	environment_is HOME=/srv 'NGINX=3;'
	witnessed --handoff=nginx --listen=tcp://0.0.0.0:80 \
		--listen='tcp://[::]:80'
	environment_is HOME=/srv 'NGINX=3;4;'
}

@test "inherited LISTEN_* and NGINX are removed" {
	with HOME=/srv LISTEN_FDS=9 LISTEN_PID=1 LISTEN_FDNAMES=x:y 'NGINX=9;'
	witnessed
	environment_is HOME=/srv
	with_net HOME=/srv LISTEN_FDS=9 LISTEN_PID=1 LISTEN_FDNAMES=x 'NGINX=9;'
	witnessed --handoff=nginx --listen=tcp://0.0.0.0:80
	environment_is HOME=/srv 'NGINX=3;'
	witnessed --listen=tcp://0.0.0.0:80
	environment_is HOME=/srv LISTEN_FDS=1 "LISTEN_PID=$(witness pid)" \
		LISTEN_FDNAMES=unknown
}

@test "a name that only begins like these is not theirs" {
	with HOME=/srv NGINX_VERSION=1.2 LISTEN_FDSX=1 XNGINX=1
	witnessed
	environment_is HOME=/srv NGINX_VERSION=1.2 LISTEN_FDSX=1 XNGINX=1
}

@test "--env sets and replaces, once, also with nothing" {
	with HOME=/srv A=old B=old
	witnessed --env=A=new --env=C=a=b --env=D= --env 'E=two words'
	environment_is HOME=/srv A=new B=old C=a=b D= 'E=two words'
	witnessed --env=A=1 --env=A=2
	environment_is HOME=/srv A=2 B=old
}

@test "--env has the last word about HOME" {
	with HOME=/root
	witnessed --env=HOME=/data
	environment_is HOME=/data
}

# shellcheck disable=SC2016 # ${...} is for stepdown to expand, here and below
@test "\${VAR} and \${VAR:-default} in a value" {
	with HOME=/srv NAME=value EMPTY= PORT=8080
	witnessed --env='A=${NAME}' --env='B=<${NAME}${PORT}>' \
		--env='C=${EMPTY}' --env='D=${EMPTY:-default}' \
		--env='E=${NOT_SET:-default}' --env='F=${NOT_SET:-}' \
		--env='G=${NAME:-default}' --env='H=$NAME $ {NAME} $'
	environment_is HOME=/srv NAME=value EMPTY= PORT=8080 A=value \
		'B=<value8080>' C= D=default E=default F= G=value \
		'H=$NAME $ {NAME} $'
}

# shellcheck disable=SC2016
@test "\${VAR} works in every option that has a value" {
	mkdir "$tmp/volume"
	with_net HOME=/srv PUID=5 PGID=6 PORT=80 GROUPS_=7,8 HOW=nginx \
		CAPS=chown "DIR=$tmp/volume"
	stepdown --user='${PUID}:${PGID}' --groups='${GROUPS_}' \
		--listen='tcp://0.0.0.0:${PORT}' --handoff='${HOW}' \
		--own='${DIR}' --keep-caps='${CAPS}' -- "$WITNESS"
	succeeded
	witness_is 5 6 '7 8' 0000000000000001
	witness_has_socket 3 inet 0.0.0.0:80
	says env.NGINX='3;'
	owned_by 5:6 "$tmp/volume"
	with HOME=/srv
	stepdown --user '${PUID:-1000}:${PGID:-1001}' -- "$WITNESS"
	witness_is 1000 1001
}

# shellcheck disable=SC2016
@test "a variable's value is never split, expanded again or taken for options" {
	with HOME=/srv 'A=x --user=0 y' 'B=${A}' 'C=4242:4242 --allow-root'
	witnessed --env='D=${A}' --env='E=${B}'
	says env.D='x --user=0 y' env.E='${A}'
	stepdown --user='${C}' -- "$WITNESS"
	refused 100
}

# shellcheck disable=SC2016
@test "a variable adds no option to a value" {
	mkdir "$tmp/comma,shallow" "$tmp/comma,shallow/below" "$tmp/comma"
	with_net HOME=/srv "DIR=$tmp/comma,shallow" FORCED=/etc,force \
		'PORT=80?mode=0' 'MORE=8&mark=1' ACCOUNT=root,move
	witnessed --own='${DIR}'
	owned_by 4242:4242 "$tmp/comma,shallow" "$tmp/comma,shallow/below"
	owned_by 0:0 "$tmp/comma"
	as_4242 --own="$tmp/comma,mode=\${FORCED}" -- "$WITNESS"
	refused 100
	as_4242 --dry-run --own='${FORCED}' -- "$WITNESS"
	message_has 'own /etc,force: No such file'
	grep -Fq 'own        /etc,force and all below it' "$out" || fail_seen
	as_4242 --listen='tcp://0.0.0.0:${PORT}' -- "$WITNESS"
	refused 100 "'?' in the value of PORT would add an option"
	as_4242 --listen='tcp://0.0.0.0:80?backlog=${MORE}' -- "$WITNESS"
	refused 100 "'&' in the value of MORE would add an option"
	as_4242 --account='${ACCOUNT}' -- "$WITNESS"
	refused 100 "',' in the value of ACCOUNT would add an option"
}

# shellcheck disable=SC2016
@test "a variable that is not set is an error that names it" {
	with HOME=/srv
	as_4242 --env='A=${NOT_SET}' -- "$WITNESS"
	refused 100 NOT_SET NOT_SET
}

# shellcheck disable=SC2016
@test "the application's own words are never expanded" {
	with HOME=/srv
	as_4242 -- "$WITNESS" '${HOME}' '${NOT_SET}' '$HOME' '--env=A=${HOME}'
	succeeded
	says argv.1='${HOME}' argv.2='${NOT_SET}' argv.3='$HOME' \
		argv.4='--env=A=${HOME}'
}

@test "an empty environment and one of 5,000 entries" {
	local many

	with
	witnessed
	environment_is HOME=/
	mapfile -t many < <(seq -f 'V%g=value' 1 5000)
	with "${many[@]}" HOME=/srv 'NGINX=3;'
	witnessed
	[ "$(grep -c '^env\.V' "$out")" -eq 5000 ]
	witness_lacks env.NGINX
}
