#!/bin/sh
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Make the environment of SGLang small and complete: what it lacks comes from that of vLLM and Ray.
set -eu
environment=$1 fallback=$2
packages() { "$1/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }
cd "$(packages "$environment")"

# Read in this order at the start of every Python process: the fallback comes after this folder, then its stand-ins exist.
printf '%s\nimport gpufleet_lab_sglang.stand_ins\n' "$(packages "$fallback")" > gpufleet_lab.pth
"$environment/bin/pip" uninstall --quiet --yes setuptools pip

# What a server of text models never imports: images and video, tests, servers in Rust.
rm -rf sglang/multimodal_gen sglang/test sglang/srt/rust_extensions/*.so
find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +

# Without byte code every container start would compile all of it again.
"$environment/bin/python" -m compileall -q -j 2 . > /dev/null || echo "some files stay without byte code"

# The result has to work, or the build fails here.
cd /
export GPUFLEET_LAB_PLATFORM=1
"$environment/bin/python" -c "
import sglang.srt.entrypoints.http_server, sglang.srt.managers.scheduler
from sglang.srt.platforms import current_platform
assert current_platform.is_out_of_tree(), current_platform"
"$environment/bin/sglang" version
