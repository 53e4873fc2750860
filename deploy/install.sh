#!/bin/sh
# Installs Alur on Debian 12 or newer, as root, from an unpacked release or a clone:
#
#     deploy/install.sh [--wheels FOLDER] [--no-nginx] [SETUP OPTIONS]
#
# May be repeated: what stands already is left as it is, and a newer source becomes an upgrade.
# --wheels: a folder of Python packages, for a place without internet; what Debian itself must
# have (make, python3-venv, nginx) is then expected to be there. SETUP OPTIONS (--clinic NAME
# --time-zone WITA --head-name NAME --head-username NAME --head-password-file FILE --internet
# HOST:PORT) answer what is else asked at the terminal. --no-nginx: Alur then answers on this
# server alone until HOST=0.0.0.0 stands in /etc/alur.env.
set -eu
umask 022

SOURCE=$(cd "$(dirname "$0")/.." && pwd)
HOME_OF_ALUR=/opt/alur
DATA=/var/lib/alur
SETTINGS=/etc/alur.env
WITH_NGINX=yes

say() { printf '%s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }
as_alur() { # in the release's folder, with the clinic's settings
    (
        umask 077
        cd "$HOME_OF_ALUR/current"
        exec python3 deploy/settings_file.py setpriv --reuid=alur --regid=alur --init-groups --no-new-privs \
            env HOME="$DATA" PYTHONDONTWRITEBYTECODE=1 "$@"
    )
}
tell_addresses() { # where other computers find it
    if [ $WITH_NGINX = yes ]; then
        for address in $(hostname -I 2>/dev/null); do say "  http://$address/"; done
        say "Bila ada tembok api: buka hanya port 80 untuk jaringan puskesmas, misalnya"
        say "  ufw allow from 192.168.0.0/16 to any port 80 proto tcp"
    else
        say "  menurut HOST dan PORT di $SETTINGS, bawaannya hanya server ini: http://127.0.0.1:8000/"
        say "  Untuk jaringan puskesmas: HOST=0.0.0.0 di sana, lalu systemctl restart alur"
    fi
}
has_systemd() { [ -d /run/systemd/system ]; }

help() { sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//;p;}' "$0"; }

for option in "$@"; do
    case $option in
        -h | --help) help; exit 0 ;;
    esac
done
[ "$(id -u)" = 0 ] || fail "Jalankan sebagai root: sudo deploy/install.sh"
while [ $# -gt 0 ]; do
    case $1 in
        --wheels) ln -sfn "$(cd "$2" && pwd)" "$SOURCE/wheels"; shift 2 ;;
        --no-nginx) WITH_NGINX=no; shift ;;
        --clinic | --time-zone | --head-name | --head-username | --head-password-file | --internet) break ;;
        *) fail "Pilihan tidak dikenal: $1. Lihat deploy/install.sh --help" ;;
    esac
done

# --- What Debian must have ---------------------------------------------------------------------
missing=
python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
    missing="$missing python3 python3-venv"
command -v make >/dev/null || missing="$missing make"  # upgrades, backups
[ $WITH_NGINX = no ] || command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] ||
    missing="$missing nginx"
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || fail "Belum terpasang:$missing"
    say "Memasang$missing ..."
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
        >/dev/null || fail "Tidak dapat dipasang:$missing. Periksa internet atau DVD Debian."
fi

# --- Account, folders, settings ------------------------------------------------------------------
if ! getent passwd alur >/dev/null; then
    useradd --system --user-group --home-dir "$DATA" --shell /usr/sbin/nologin alur
fi
install -d -m 755 "$HOME_OF_ALUR" "$HOME_OF_ALUR/releases"
install -d -m 700 -o alur -g alur "$DATA"
for folder in db keys backups tmp state logs; do
    install -d -m 700 -o alur -g alur "$DATA/$folder"
done
if [ ! -e "$SETTINGS" ]; then
    proxy=1
    [ $WITH_NGINX = yes ] || proxy=0
    printf '%s\n' "ALUR_DATA=$DATA" ALUR_DEMO=0 "ALUR_PROXY=$proxy" HOST=127.0.0.1 PORT=8000 \
        >"$SETTINGS"
    chown root:alur "$SETTINGS"
    chmod 640 "$SETTINGS"
fi

# --- The release -----------------------------------------------------------------------------------
UNIT=/etc/systemd/system/alur.service
if [ -e "$UNIT" ]; then # the last thing that a first installation leaves
    (cd "$SOURCE" && python3 deploy/environment.py requirements.txt)
    "$SOURCE/.venv/bin/python" "$SOURCE/deploy/upgrade.py"
else
    python3 "$SOURCE/deploy/upgrade.py" --first
    # Alur's account can't read a file of root's: it is handed over, not named.
    secret=/dev/stdin
    before=
    for option; do
        shift
        [ "$before" != --head-password-file ] || { secret=$option; option=-; }
        set -- "$@" "$option"
        before=$option
    done
    if [ "$secret" = /dev/stdin ]; then
        as_alur "$HOME_OF_ALUR/current/.venv/bin/python" -m flask --app app setup "$@"
    else
        as_alur "$HOME_OF_ALUR/current/.venv/bin/python" -m flask --app app setup "$@" <"$secret"
    fi
fi

# --- Service and web server ------------------------------------------------------------------------
RELEASE=$HOME_OF_ALUR/current
if [ $WITH_NGINX = yes ] && [ -d /etc/nginx/sites-available ]; then
    # Once in place it is the clinic's: a certificate may stand in it.
    [ -e /etc/nginx/sites-available/alur ] ||
        install -m 644 "$RELEASE/deploy/nginx.conf" /etc/nginx/sites-available/alur
    ln -sf ../sites-available/alur /etc/nginx/sites-enabled/alur
    rm -f /etc/nginx/sites-enabled/default
    nginx -t -q
fi
# Alur turns its own log; the journal, which keeps the rest, must not fill the disk.
install -d /etc/systemd/journald.conf.d
printf '[Journal]\nSystemMaxUse=200M\nMaxRetentionSec=90day\n' \
    >/etc/systemd/journald.conf.d/alur.conf

install -m 644 "$RELEASE/deploy/alur.service" "$UNIT"

if has_systemd; then
    systemctl daemon-reload
    systemctl enable -q --now alur
    [ $WITH_NGINX = no ] || systemctl reload-or-restart nginx
    systemctl try-restart systemd-journald
    say "Alur berjalan."
else
    say "systemd tidak berjalan di sini; alur.service sudah ditaruh, belum dinyalakan."
fi
say "Alamat dari komputer lain:"
tell_addresses
say "Pembaruan berikutnya: make upgrade, sebagai root, dari folder rilis baru."
