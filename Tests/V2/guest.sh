# The second root's PID 1: runs the tests and says how they ended.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
hostname v2
ip link set lo up
# Process numbers far from those that a task's own pid namespace uses, as on a machine that has been up for a while.
echo 20000 > /proc/sys/kernel/ns_last_pid
echo "cgroup controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
export SERAI_PATIENCE=20
"$bundle" --testing-library swift-testing --no-parallel ${filter:+--filter "$filter"} ${skip:+--skip "$skip"} < /dev/null
status=$?
echo
echo "SERAI-V2-STATUS $status"
sync
echo o > /proc/sysrq-trigger
sleep 60
