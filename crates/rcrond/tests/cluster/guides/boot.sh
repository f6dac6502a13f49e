# Gives a server its own /etc, /var, /run and /root, and keeps them.
# usage: boot.sh DIRECTORY PLACE NAME    (the server's directory, on a tmpfs; what all servers share; its host name)
set -e
cd "$1"
hostname "$3"
mkdir etc var .etc .var root
mount -t overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/.etc" none /etc
mount -t overlay -o "lowerdir=/var,upperdir=$1/var,workdir=$1/.var" none /var
mount -t tmpfs -o mode=755 none /run
mount --bind "$1/root" /root
mount -t tmpfs none /usr/share/doc
mkdir -p /usr/share/doc/rcrond /usr/share/doc/rcron
cp -r "$2/examples/rcrond" /usr/share/doc/rcrond/examples
cp -r "$2/examples" /usr/share/doc/rcron
# The programs of this test, instead of those that are installed.
mount --bind "$2/bin" /usr/local/bin
rm -rf /etc/rcron /var/lib/rcron /var/lib/rcrond
mkdir -p /etc/rcron /run/rcron/keepalived /run/lock /run/services /var/lib/rcron
mkdir -m 1733 /var/lib/rcron/journal
cp "$2/hosts" /etc/hosts
touch "$1/booted"
exec env --ignore-signal=CHLD sleep infinity
