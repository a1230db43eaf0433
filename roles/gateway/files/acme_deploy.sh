#!/bin/sh
# Written by gpufleet.inference, role gateway. certbot calls it with a new certificate: the gateway takes it, open streams go on.
set -eu
directory=/etc/gpufleet/gateway/certificates
install --mode=0600 "$RENEWED_LINEAGE/privkey.pem" "$directory/acme.pem.key"
install --mode=0644 "$RENEWED_LINEAGE/fullchain.pem" "$directory/acme.pem"
systemctl reload gpufleet-gateway.service
