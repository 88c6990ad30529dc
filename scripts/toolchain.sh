# Sourced by the other scripts: makes sure that a Rust toolchain is at hand.
if [ -f "$HOME/.cargo/env" ]; then
    . "$HOME/.cargo/env"
fi
if ! command -v cargo >/dev/null 2>&1; then
    if ! command -v rustup >/dev/null 2>&1; then
        if command -v apt-get >/dev/null 2>&1; then
            sudo=""
            [ "$(id -u)" -eq 0 ] || sudo="sudo"
            $sudo apt-get update -qq
            $sudo apt-get install -y -qq rustup gcc libc6-dev || {
                echo "install Rust 1.95 or newer from https://rustup.rs and run this again" >&2
                exit 1
            }
        else
            echo "install Rust 1.95 or newer from https://rustup.rs and run this again" >&2
            exit 1
        fi
    fi
    rustup default stable
fi
if ! command -v cc >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq gcc libc6-dev
fi
