#!/bin/bash
# Prints what Kubernetes is to run a plan: an Indexed Job, an index a piece, or the Job that merges.
#
#   scripts/engines/kubernetes.sh pieces RECIPE PLAN FOLDER [OPTION]... | kubectl create -f -
#   scripts/engines/kubernetes.sh merge RECIPE PLAN FOLDER [OPTION]... [-- OPTION OF THE MERGE]... | …
#
# FOLDER is one in the volume that all pods mount as /data: the claim $SLUICE_CLAIM (default: sluice).
# $SLUICE_IMAGE: the image made of the Containerfile beside this script; $SLUICE_PODS: how many pods at
# a time (100). URLs with their secrets come from the key urls of the Secret sluice-urls, if there is one.
# scripts/engines/README.md begins at nothing.
# shellcheck disable=SC2034
what=${1:-} verbs='pieces|merge '
shift || true
. "$(dirname "$0")/common.sh"

image=${SLUICE_IMAGE:-localhost/sluice} claim=${SLUICE_CLAIM:-sluice} pods=${SLUICE_PODS:-100}

# A word as YAML (and JSON) writes it; Kubernetes takes $(NAME) for a variable, and $$ for $.
quote() {
    local word=${1//\\/\\\\}
    word=${word//\"/\\\"} word=${word//$'\n'/\\n} word=${word//$'\t'/\\t} word=${word//\$/\$\$}
    printf '"%s"' "$word"
}

list() { # list WORD...: as one line
    local word text=
    for word in "$@"; do text+="${text:+, }$(quote "$word")"; done
    printf '[%s]' "$text"
}

# What both Jobs' pods are: template NAME MEMORY COMMAND...
template() {
    local name=$1 memory=$2
    shift 2
    cat <<YAML
  template:
    spec:
      restartPolicy: Never
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        fsGroup: 1000
        seccompProfile: { type: RuntimeDefault }
      containers:
        - name: $name
          image: $(quote "$image")
          command: $(list "$@")
          env:
            - name: SLUICE_URLS
              valueFrom: { secretKeyRef: { name: sluice-urls, key: urls, optional: true } }
          resources:
            requests: { cpu: "1", memory: $memory }
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
          volumeMounts:
            - { name: data, mountPath: /data }
YAML
    [ "$name" = merge ] || echo "            - { name: plan, mountPath: /plan }"
    cat <<YAML
      volumes:
        - name: data
          persistentVolumeClaim: { claimName: $(quote "$claim") }
YAML
    [ "$name" = merge ] || cat <<YAML
        - name: plan
          configMap: { name: sluice-plan }
YAML
}

job() { # job NAME: what stands above its spec
    printf -- '---\napiVersion: batch/v1\nkind: Job\nmetadata: { name: sluice-%s }\nspec:\n' "$1"
}

print_plan() {
    local packed
    packed=$(gzip -9n <"$plan" | base64 -w 0)
    if [ ${#packed} -gt 1000000 ]; then # etcd takes no more than 1 MiB
        echo "$plan: too long for a ConfigMap, even compressed: make larger pieces, or several plans" >&2
        exit 2
    fi
    printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: sluice-plan }\nbinaryData:\n  plan.gz: %s\n' "$packed"
}

# What a pod's shell does; its words: RECIPE FOLDER [OPTION]...
# shellcheck disable=SC2016
piece='exec piece.sh $((JOB_COMPLETION_INDEX + 1)) "$1" <(zcat /plan/plan.gz) "$2" "${@:3}"'

case $what in
pieces)
    print_plan
    job pieces
    printf '  completionMode: Indexed\n  completions: %d\n  parallelism: %d\n  backoffLimitPerIndex: 3\n' \
        "$pieces" $((pods < pieces ? pods : pieces))
    template piece 256Mi bash -c "$piece" piece "$recipe" "/data/$folder" "${options[@]}"
    ;;
merge)
    job merge
    printf '  backoffLimit: 3\n'
    template merge 2Gi merge.sh "$recipe" "/data/$folder" "${merge_options[@]}"
    ;;
*) usage ;;
esac
