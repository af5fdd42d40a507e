// SPDX-License-Identifier: Apache-2.0
/** How to check a transcript with stock tools alone: the shell script that is printed on its document. */

/** For `sh`, with jq, openssl and coreutils. `file` is the name of the transcript beside it. */
export function verificationRecipe(file: string): string {
  return `#!/bin/sh
# Checks ${file} with jq, openssl and coreutils alone.
set -eu
T=\${1:-${quote(file)}}
W=$(mktemp -d); trap 'rm -rf "$W"' EXIT

# 1. The signed statement, the script and the journal, out of the one file.
jq -r .envelope.payload "$T" | base64 -d > "$W/statement.json"
jq -r .script "$T" | base64 -d > "$W/script.json"
jq -r .journal "$T" | base64 -d > "$W/journal"

# 2. Administrator and witness signed the statement (DSSE: length, type, length, bytes).
type=$(jq -r .envelope.payloadType "$T")
{ printf 'DSSEv1 %d %s %d ' "\${#type}" "$type" "$(wc -c < "$W/statement.json")"; cat "$W/statement.json"; } > "$W/signed"
for role in administrator witness; do
  keyid=$(jq -er --arg r "$role" '.predicate.people[] | select(.role == $r) | .keyid' "$W/statement.json")
  head -n 1 "$W/journal" | cut -c 66- |
    jq -er --arg r "$role" '.fact.settings.people[] | select(.role == $r) | .publicKey' | base64 -d > "$W/key.der"
  [ "$(sha256sum < "$W/key.der" | cut -c 1-64)" = "$keyid" ]
  openssl pkey -pubin -inform DER -in "$W/key.der" -out "$W/key.pem"
  good=no
  for n in $(jq -r '.envelope.signatures | keys[]' "$T"); do
    jq -r ".envelope.signatures[$n].sig" "$T" | base64 -d > "$W/sig"
    if openssl pkey -pubin -in "$W/key.pem" -text -noout | grep -qi ed25519; then
      openssl pkeyutl -verify -pubin -inkey "$W/key.pem" -rawin -in "$W/signed" -sigfile "$W/sig" > /dev/null 2>&1 && good=yes
    else
      openssl dgst -sha256 -verify "$W/key.pem" -signature "$W/sig" "$W/signed" > /dev/null 2>&1 && good=yes
    fi
  done
  [ "$good" = yes ]
  echo "signed by the $role with key $keyid: compare it with what you got by another way"
done

# 3. The script is the one that was reviewed.
digest=$(sha256sum < "$W/script.json" | cut -c 1-64)
[ "$digest" = "$(jq -r .predicate.script.digest.sha256 "$W/statement.json")" ]
echo "script $digest: compare it with the review"

# 4. Every record of the journal continues the one before, and the last one is the signed end.
id=$(jq -r .predicate.ceremonyId "$W/statement.json")
chain=$(printf 'witnessmark ceremony journal v1\\n%s\\n' "$id" | sha256sum | cut -c 1-64)
while IFS= read -r line; do
  text=\${line#* }
  chain=$(printf '%s\\n%s\\n' "$chain" "$text" | sha256sum | cut -c 1-64)
  [ "$chain" = "\${line%% *}" ]
done < "$W/journal"
[ "$chain" = "$(jq -r .predicate.journal.digest.sha256 "$W/statement.json")" ]
echo "journal: every record continues the one before"

# 5. Every witnessed step: the result is in the journal, under the digest whose first characters the witness typed.
jq -r '.predicate.steps[] | select(.witnessedAt != null) | .id + " " + .resultDigest.sha256' "$W/statement.json" |
while read -r step digest; do
  cut -c 66- "$W/journal" | jq -e --arg s "$step" --arg d "$digest" -s \\
    'any(.[].fact; .kind == "witnessed" and .step == $s and .typed == $d[0:4])' > /dev/null
  echo "step $step: witnessed, result $digest"
done
echo OK
`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
