#!/bin/sh
# run.sh FOLDER BUNDLE: boots a virtual machine that sees this machine's files read-only (9p, below a tmpfs overlay), runs
# the test bundle in it as root, and ends with the tests' status. FOLDER keeps the kernel between runs.
set -eu
folder=$1
bundle=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
mkdir -p "$folder"
folder=$(realpath "$folder")

# The newest kernel of the distribution: the package named by the meta package, unpacked, not installed.
if ! ls "$folder"/kernel/boot/vmlinuz-* >/dev/null 2>&1; then
  image=$(apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
  [ -n "$image" ] || { echo "no linux-image-amd64 among this machine's packages: apt-get update?"; exit 1; }
  rm -rf "$folder/kernel" "$folder/package"
  mkdir -p "$folder/package"
  (cd "$folder/package" && apt-get download -q "$image")
  dpkg -x "$folder"/package/*.deb "$folder/kernel.new"
  rm -rf "$folder/package"
  version=$(basename "$folder"/kernel.new/boot/vmlinuz-*)
  depmod -b "$folder/kernel.new" "${version#vmlinuz-}"
  mv "$folder/kernel.new" "$folder/kernel"
fi
kernel=$(ls "$folder"/kernel/boot/vmlinuz-*)
version=${kernel##*/vmlinuz-}

# The first root: busybox, the modules for the second one, and the script that goes there.
root=$folder/initramfs
rm -rf "$root"
mkdir -p "$root/bin" "$root/modules"
cp "$(command -v busybox)" "$root/bin/busybox"
cp "$here/init" "$root/init"
for module in virtio_pci 9pnet_virtio 9p overlay virtio_rng veth bridge; do
  modprobe -d "$folder/kernel" -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$folder/modules"
number=100
while read -r file; do
  cp "$file" "$root/modules/$number-$(basename "$file")"
  number=$((number + 1))
done < "$folder/modules"
(cd "$root" && find . | cpio -o -H newc --quiet | gzip -1) > "$folder/initramfs.gz"

log=$folder/console.log
cat > "$folder/run" <<END
bundle='$bundle'
filter='${FILTER:-}'
skip='${SKIP:-}'
script='$here/guest.sh'
END
echo "booting Linux $version (${ACCEL:-tcg}); the console goes to $log too"
# The status comes as a line of the console; a machine that dies, hangs or never says it has failed.
timeout "${SECONDS_AT_MOST:-1800}" qemu-system-x86_64 -accel "${ACCEL:-tcg}" -cpu max -smp 2 -m 3072 \
  -nographic -no-reboot -nodefaults -serial stdio -device virtio-rng-pci \
  -kernel "$kernel" -initrd "$folder/initramfs.gz" \
  -append "console=ttyS0 quiet panic=-1 cgroup_no_v1=all systemd.unified_cgroup_hierarchy=1 serai=$folder/run" \
  -fsdev local,id=host,path=/,security_model=none,readonly=on,multidevs=remap \
  -device virtio-9p-pci,fsdev=host,mount_tag=host < /dev/null | tee "$log" || true
status=$(tr -d '\r' < "$log" | sed -n 's/^SERAI-V2-STATUS \([0-9]*\)$/\1/p' | tail -1)
if [ -z "$status" ]; then
  echo "the virtual machine ended without a result"
  exit 1
fi
exit "$status"
