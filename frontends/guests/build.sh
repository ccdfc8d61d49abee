#!/usr/bin/env bash
# Builds the guest ELFs into elf/.
#
#   build.sh [c] [rust]           build; without a part, every part whose toolchain is here
#   build.sh --check [c] [rust]   build into a temporary directory and compare with elf/SHA256SUMS
#
# The bytes depend on the compiler, so --check compares a part only when the
# compiler is the one that elf/TOOLCHAINS names; otherwise it builds and scans.
set -euo pipefail
export LC_ALL=C
guests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$guests"

cross=riscv64-unknown-elf
target=riscv32im-unknown-none-elf
c_guests="fibonacci sha256 memory sort matmul"
rust_guests="keccak256 json ecdsa sha256_rust"
edge_guests="isa_edge exit7 bad_loop bad_unimp bad_jump bad_load bad_ecall"

say() { echo "build.sh: $*" >&2; }
die() { say "$*"; exit 1; }

# ---- C

c_toolchain() { command -v $cross-gcc >/dev/null; }
c_version() { $cross-gcc --version | head -n 1; }
c_missing="no C toolchain: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf binutils-riscv64-unknown-elf"
c_outputs="$c_guests $edge_guests bad_rvc bad_float bad_arch bad_rv64"

# compile MARCH NAME SOURCE...
compile() {
    local march=$1 name=$2 file objects=()
    shift 2
    for file in "$@"; do
        local object="$work/$name-$(basename "$file").o"
        $cross-gcc -march="$march" -mabi=ilp32 -O2 -mcmodel=medany --specs=picolibc.specs -std=c11 -Wall -Wextra \
            -Werror -ffunction-sections -fdata-sections -Ic -c -o "$object" "$file"
        objects+=("$object")
    done
    # The libraries are those of rv32im whatever the guest's own code is.
    $cross-gcc -march=rv32im -mabi=ilp32 --specs=picolibc.specs -nostartfiles -T c/guest.ld -Wl,--gc-sections \
        -Wl,-z,max-page-size=4096 -o "$out/$name.elf" "${objects[@]}"
    $cross-strip --strip-debug "$out/$name.elf"
}

build_c() {
    local name
    for name in $c_guests; do compile rv32im "$name" c/crt0.S c/guest.c "c/$name.c"; done
    compile rv32im isa_edge c/crt0.S c/guest.c edge/isa_edge.c
    for name in exit7 bad_loop bad_unimp bad_jump bad_load bad_ecall; do
        compile rv32im "$name" c/crt0.S "edge/$name.S"
    done
    compile rv32imc bad_rvc c/crt0.S edge/bad_rvc.S
    compile rv32imf bad_float c/crt0.S edge/bad_float.S
    $cross-gcc -march=rv64im -mabi=lp64 -nostdlib -Wl,-z,max-page-size=4096 -o "$out/bad_rv64.elf" edge/bad_rv64.S
    $cross-strip --strip-all "$out/bad_rv64.elf"
    # Another machine number (3, i386) in an otherwise good file.
    cp "$out/exit7.elf" "$out/bad_arch.elf"
    printf '\003\000' | dd of="$out/bad_arch.elf" bs=1 seek=18 conv=notrunc status=none
}

# ---- Rust

# Sets `rustc` and `std` (prebuilt or build-std) to the first of these that is
# here: the compiler with the target, or with the library's sources and a
# linker. `linker` is empty where the compiler brings its own.
rust_toolchain() {
    local candidate root
    command -v cargo >/dev/null || return 1
    for candidate in ${RUSTC:-rustc /usr/bin/rustc}; do
        rustc=$(cd rust && command -v "$candidate") || continue
        root=$(cd rust && "$rustc" --print sysroot)
        std=prebuilt
        [ -d "$root/lib/rustlib/$target" ] && { rust_linker || linker=; } && return 0
        std=build-std
        [ -f "$root/lib/rustlib/src/rust/library/Cargo.toml" ] && rust_linker && return 0
    done
    return 1
}
rust_linker() {
    local found
    linker=
    found=$(find "$("$rustc" --print sysroot)/lib/rustlib" -path '*/bin/rust-lld' 2>/dev/null | head -n 1)
    [ -n "$found" ] && return 0
    for linker in rust-lld ld.lld ld.lld-14; do command -v "$linker" >/dev/null && return 0; done
    return 1
}
rust_version() { echo "$(cd rust && "$rustc" --version), $std"; }
rust_missing="no Rust toolchain for the guests: run 'rustup target add $target' (or, without rustup, \
apt-get install rustc-web rust-web-src lld-14)"
rust_outputs="$rust_guests"

build_rust() (
    cd rust
    unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
    export RUSTC="$rustc"
    local arguments=() flags dir name
    if [ "$std" = build-std ]; then
        export RUSTC_BOOTSTRAP=1
        arguments=(-Zbuild-std=core,alloc -Zbuild-std-features=compiler-builtins-mem)
    fi
    [ -z "$linker" ] || export CARGO_TARGET_RISCV32IM_UNKNOWN_NONE_ELF_LINKER="$linker"
    cargo fetch --quiet --locked --target "$target"
    # Paths in panic messages: the same wherever the sources lie.
    flags="'--remap-path-prefix=$guests/rust=guests', '--remap-path-prefix=$("$rustc" --print sysroot)/lib/rustlib/src/rust=rust'"
    for dir in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/; do
        flags+=", '--remap-path-prefix=${dir%/}=crates'"
    done
    cargo build --quiet --jobs 1 --locked --release --package guests --target "$target" --target-dir "$target_dir" \
        --config "target.$target.rustflags=[$flags]" "${arguments[@]}"
    for name in $rust_guests; do cp "$target_dir/$target/release/$name" "$out/$name.elf"; done
)

# ---- Both

scan() {
    local files=() name
    for name in $1; do
        case $name in bad_rvc | bad_float | bad_arch | bad_rv64) ;; *) files+=("$out/$name.elf") ;; esac
    done
    python3 scan.py --forbid "$guests" --forbid "$HOME/" --forbid "$work" --forbid registry/src "${files[@]}"
}

check=
[ "${1:-}" != --check ] || { check=1; shift; }
parts=("$@")
[ $# -gt 0 ] || parts=(c rust)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/elf
target_dir=$guests/rust/target
if [ -n "$check" ]; then
    (cd elf && sha256sum --quiet --check SHA256SUMS) || die "elf/ does not match elf/SHA256SUMS"
    target_dir=$work/target
fi
mkdir -p "$out" elf

built=0
for part in "${parts[@]}"; do
    case $part in c | rust) ;; *) die "unknown part '$part': expected c or rust" ;; esac
    missing=${part}_missing outputs=${part}_outputs
    if ! "${part}_toolchain"; then
        [ $# -eq 0 ] || die "${!missing}"
        say "${!missing}"
        continue
    fi
    built=$((built + 1))
    version=$("${part}_version")
    "build_$part"
    scan "${!outputs}"
    if [ -z "$check" ]; then
        for name in ${!outputs}; do install -m 755 "$out/$name.elf" elf/; done
        { grep -v "^$part:" elf/TOOLCHAINS 2>/dev/null || true; echo "$part: $version"; } | sort >"$work/toolchains"
        cp "$work/toolchains" elf/TOOLCHAINS
        say "$part: built with $version"
    elif ! grep -qxF "$part: $version" elf/TOOLCHAINS; then
        say "$part: built and scanned with $version; not compared with elf/, whose files have another compiler"
    else
        (cd "$out" && sha256sum $(printf '%s.elf ' ${!outputs})) >"$work/sums"
        ! grep -vxF -f elf/SHA256SUMS "$work/sums" >&2 || die "$part: these rebuilt files differ from those in elf/"
        say "$part: $(wc -l <"$work/sums") files rebuilt with $version equal those in elf/"
    fi
done
[ "$built" -gt 0 ] || exit 1
[ -n "$check" ] || (cd elf && sha256sum -- *.elf >SHA256SUMS)
