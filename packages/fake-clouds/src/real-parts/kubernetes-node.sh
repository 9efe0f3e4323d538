# First process of a node's own namespaces of mounts and processes: whatever is started and mounted here ends with it.
#
#   sh kubernetes-node.sh <folder> <containerd> <ctr> <kubelet>
set -eu
folder=$1 containerd=$2 ctr=$3 kubelet=$4

# both programs write to some fixed places too: nothing of that gets out of the folder
for place in /run /var/lib /var/log; do
  name=$folder/places/$(echo "$place" | tr / -)
  mkdir -p "$name" "$name.work"
  mount -t overlay overlay -o "lowerdir=$place,upperdir=$name,workdir=$name.work" "$place"
done
# settings of the kernel that a kubelet makes for its machine: it finds files in their places
for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
  file=$folder/kernel-$(echo "$setting" | tr / -)
  cat "/proc/sys/$setting" >"$file"
  mount --bind "$file" "/proc/sys/$setting"
done

"$containerd" --config "$folder/containerd.toml" >"$folder/containerd.log" 2>&1 &
until "$ctr" --address "$folder/containerd.sock" --namespace k8s.io images import "$folder/pause.tar"; do
  kill -0 $! # it has not ended
  sleep 0.1
done
"$kubelet" --config="$folder/kubelet.json" --kubeconfig="$folder/kubeconfig.json" --root-dir="$folder/kubelet" \
  --cert-dir="$folder/kubelet-certificates" --hostname-override=node-1 --v=2 &
# takes in whatever processes were left to it meanwhile
wait $!
