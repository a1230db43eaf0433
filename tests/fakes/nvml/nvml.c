/* Copyright: (c) 2026, The gpufleet founders
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A stand-in for libnvidia-ml.so.1 that answers what a scenario says (scenario.h). No GPU is behind it.
 *
 * A function's key is its C name, with what it is asked for behind a dot (a clock, a link, a field). Without a line for it,
 * a function says NOT_SUPPORTED. Layouts of structs are those of nvml.h 13.
 */
#include "scenario.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GPUS 64

typedef int nvmlReturn_t;
typedef struct {
    int index;
} *nvmlDevice_t;

static struct {
    int index;
} devices[GPUS];
static int initialised;

/* --- finding values ---------------------------------------------------------------------------------------------- */

static int find(nvmlDevice_t device, const char *key, const char *narrower, const char *narrowest, char *value)
{
    if (!initialised)
        return UNINITIALIZED;
    return scenario_find(device ? device->index : SYSTEM, key, narrower, narrowest, value, NOT_SUPPORTED);
}

static const char *dotted(char *buffer, const char *symbol, long detail)
{
    sprintf(buffer, "%s.%ld", symbol, detail);
    return buffer;
}

/* Split a value into at most `most` whole numbers; returns how many there were. */
static int split(const char *value, int64_t *numbers, int most)
{
    char *end;
    int found = 0;

    for (; found < most; found++, value = end) {
        int64_t number = (int64_t)strtoull(value, &end, 0);

        if (end == value)
            break;
        numbers[found] = number;
    }
    return found;
}

/* Read `most` numbers for a key, with or without a detail (-1: none); those that the line lacks are 0. */
static int numbers(nvmlDevice_t device, const char *symbol, long detail, int64_t *found, int most)
{
    char value[VALUE_SIZE], key[128] = "";
    int code = find(device, symbol, detail < 0 ? NULL : dotted(key, symbol, detail), NULL, value);

    memset(found, 0, sizeof *found * most);
    if (code == SUCCESS)
        split(value, found, most);
    return code;
}

static int unsigned_one(nvmlDevice_t device, const char *symbol, long detail, unsigned *out)
{
    int64_t found;
    int code = numbers(device, symbol, detail, &found, 1);

    if (code == SUCCESS)
        *out = (unsigned)found;
    return code;
}

static int unsigned_two(nvmlDevice_t device, const char *symbol, unsigned *first, unsigned *second)
{
    int64_t found[2];
    int code = numbers(device, symbol, -1, found, 2);

    if (code == SUCCESS) {
        *first = (unsigned)found[0];
        *second = (unsigned)found[1];
    }
    return code;
}

static int string(nvmlDevice_t device, const char *symbol, char *out, unsigned size)
{
    char value[VALUE_SIZE];
    int code = find(device, symbol, NULL, NULL, value);

    if (code == SUCCESS && strlen(value) >= size)
        return INSUFFICIENT_SIZE;
    if (code == SUCCESS)
        strcpy(out, value);
    return code;
}

#define UNSIGNED(symbol)                                     \
    nvmlReturn_t symbol(nvmlDevice_t device, unsigned *out)  \
    {                                                        \
        return unsigned_one(device, #symbol, -1, out);       \
    }
#define UNSIGNED_BY(symbol)                                                   \
    nvmlReturn_t symbol(nvmlDevice_t device, unsigned detail, unsigned *out)  \
    {                                                                         \
        return unsigned_one(device, #symbol, (long)detail, out);              \
    }
#define UNSIGNED_TWO(symbol)                                                   \
    nvmlReturn_t symbol(nvmlDevice_t device, unsigned *first, unsigned *second) \
    {                                                                          \
        return unsigned_two(device, #symbol, first, second);                   \
    }
#define LONG(symbol)                                                   \
    nvmlReturn_t symbol(nvmlDevice_t device, unsigned long long *out)  \
    {                                                                  \
        int64_t found;                                                 \
        int code = numbers(device, #symbol, -1, &found, 1);            \
        if (code == SUCCESS)                                           \
            *out = (unsigned long long)found;                          \
        return code;                                                   \
    }
#define STRING(symbol)                                                    \
    nvmlReturn_t symbol(nvmlDevice_t device, char *out, unsigned length)  \
    {                                                                     \
        return string(device, #symbol, out, length);                      \
    }
#define SYSTEM_STRING(symbol)                          \
    nvmlReturn_t symbol(char *out, unsigned length)    \
    {                                                  \
        return string(NULL, #symbol, out, length);     \
    }

/* --- library and system ------------------------------------------------------------------------------------------ */

nvmlReturn_t nvmlInitWithFlags(unsigned flags)
{
    char value[VALUE_SIZE];
    int code;

    (void)flags;
    if (!scenario_load()) {
        fprintf(stderr, "fake NVML: GPUFLEET_FAKE_NVML names no file that can be read\n");
        return UNKNOWN;
    }
    code = scenario_find(SYSTEM, "nvmlInitWithFlags", NULL, NULL, value, SUCCESS);
    initialised = code == SUCCESS;
    return code;
}

nvmlReturn_t nvmlInit_v2(void)
{
    return nvmlInitWithFlags(0);
}

nvmlReturn_t nvmlShutdown(void)
{
    initialised = 0;
    return SUCCESS;
}

const char *nvmlErrorString(nvmlReturn_t code)
{
    return code == VERSION_MISMATCH ? "Argument version mismatch" : "Unknown Error";
}

/* Answers without initialisation, as the real one does. */
nvmlReturn_t nvmlSystemGetNVMLVersion(char *out, unsigned length)
{
    char value[VALUE_SIZE];
    int code = scenario_load() ? scenario_find(SYSTEM, "nvmlSystemGetNVMLVersion", NULL, NULL, value, NOT_SUPPORTED)
                               : UNINITIALIZED;

    if (code == SUCCESS)
        snprintf(out, length, "%s", value);
    return code;
}

SYSTEM_STRING(nvmlSystemGetDriverVersion)

nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *out)
{
    return unsigned_one(NULL, "nvmlSystemGetCudaDriverVersion_v2", -1, (unsigned *)out);
}

nvmlReturn_t nvmlSystemGetDriverBranch(void *info, unsigned length)
{
    struct {
        unsigned version;
        char branch[80];
    } *out = info;

    return string(NULL, "nvmlSystemGetDriverBranch", out->branch, length < 80 ? length : 80);
}

/* environment, feature, devtools */
nvmlReturn_t nvmlSystemGetConfComputeState(unsigned *out)
{
    int64_t found[3];
    int code = numbers(NULL, "nvmlSystemGetConfComputeState", -1, found, 3);

    for (int at = 0; code == SUCCESS && at < 3; at++)
        out[at] = (unsigned)found[at];
    return code;
}

nvmlReturn_t nvmlSystemGetConfComputeGpusReadyState(unsigned *out)
{
    return unsigned_one(NULL, "nvmlSystemGetConfComputeGpusReadyState", -1, out);
}

/* --- devices ------------------------------------------------------------------------------------------------------ */

nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *out)
{
    return unsigned_one(NULL, "nvmlDeviceGetCount_v2", -1, out);
}

nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *out)
{
    char value[VALUE_SIZE];
    unsigned count = 0;
    int code = nvmlDeviceGetCount_v2(&count);

    if (code != SUCCESS)
        return code;
    if (index >= count || index >= GPUS)
        return INVALID_ARGUMENT;
    code = scenario_find((int)index, "nvmlDeviceGetHandleByIndex_v2", NULL, NULL, value, SUCCESS);
    devices[index].index = (int)index;
    *out = (nvmlDevice_t)&devices[index];
    return code;
}

/* Find the GPU whose line for `key` is `wanted`. */
static nvmlReturn_t by_text(const char *key, const char *wanted, nvmlDevice_t *out)
{
    char value[VALUE_SIZE];

    for (unsigned index = 0; nvmlDeviceGetHandleByIndex_v2(index, out) == SUCCESS; index++)
        if (find(*out, key, NULL, NULL, value) == SUCCESS && !strcasecmp(value, wanted))
            return SUCCESS;
    return NOT_FOUND;
}

nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *out)
{
    return by_text("nvmlDeviceGetUUID", uuid, out);
}

nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvmlDevice_t *out)
{
    return by_text("nvmlDeviceGetPciInfo_v3.bus", bus, out);
}

nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *out)
{
    *out = (unsigned)device->index;
    return SUCCESS;
}

/* Three lines: .bus 00000000:1B:00.0, .device 233510DE, .subsystem 18BF10DE */
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, void *info)
{
    struct {
        char legacy[16];
        unsigned domain, bus, device, device_id, subsystem_id;
        char bus_id[32];
    } *out = info;
    char value[VALUE_SIZE];
    int code = find(device, "nvmlDeviceGetPciInfo_v3.bus", "nvmlDeviceGetPciInfo_v3", NULL, value);

    if (code != SUCCESS)
        return code;
    memset(out, 0, sizeof *out);
    snprintf(out->bus_id, sizeof out->bus_id, "%.31s", value);
    snprintf(out->legacy, sizeof out->legacy, "%.15s", strlen(value) > 4 ? value + 4 : value);
    sscanf(value, "%x:%x:%x", &out->domain, &out->bus, &out->device);
    if (find(device, "nvmlDeviceGetPciInfo_v3.device", NULL, NULL, value) == SUCCESS)
        out->device_id = (unsigned)strtoul(value, NULL, 16);
    if (find(device, "nvmlDeviceGetPciInfo_v3.subsystem", NULL, NULL, value) == SUCCESS)
        out->subsystem_id = (unsigned)strtoul(value, NULL, 16);
    return SUCCESS;
}

STRING(nvmlDeviceGetName)
STRING(nvmlDeviceGetUUID)
STRING(nvmlDeviceGetSerial)
STRING(nvmlDeviceGetBoardPartNumber)
STRING(nvmlDeviceGetVbiosVersion)
STRING(nvmlDeviceGetInforomImageVersion)
UNSIGNED(nvmlDeviceGetMinorNumber)
UNSIGNED(nvmlDeviceGetModuleId)
UNSIGNED(nvmlDeviceGetArchitecture)
UNSIGNED(nvmlDeviceGetVirtualizationMode)
UNSIGNED_TWO(nvmlDeviceGetCudaComputeCapability)
UNSIGNED_TWO(nvmlDeviceGetGspFirmwareMode)

nvmlReturn_t nvmlDeviceGetGspFirmwareVersion(nvmlDevice_t device, char *out)
{
    return string(device, "nvmlDeviceGetGspFirmwareVersion", out, 64);
}

nvmlReturn_t nvmlDeviceValidateInforom(nvmlDevice_t device)
{
    char value[VALUE_SIZE];

    return find(device, "nvmlDeviceValidateInforom", NULL, NULL, value);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* total, reserved, free, used: the line of the second version serves both. */
nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, void *info)
{
    struct {
        unsigned version;
        unsigned long long total, reserved, free, used;
    } *out = info;
    int64_t found[4];
    int code;

    if (out->version != 0x02000028)
        return VERSION_MISMATCH;
    code = numbers(device, "nvmlDeviceGetMemoryInfo_v2", -1, found, 4);
    out->total = found[0], out->reserved = found[1], out->free = found[2], out->used = found[3];
    return code;
}

nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, unsigned long long *out)
{
    int64_t found[4];
    int code = numbers(device, "nvmlDeviceGetMemoryInfo_v2", -1, found, 4);

    out[0] = found[0], out[1] = found[2], out[2] = found[1] + found[3];
    return code;
}

nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, unsigned long long *out)
{
    int64_t found[3];
    int code = numbers(device, "nvmlDeviceGetBAR1MemoryInfo", -1, found, 3);

    out[0] = found[0], out[1] = found[1], out[2] = found[2];
    return code;
}

UNSIGNED_TWO(nvmlDeviceGetEccMode)

nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned type, unsigned counter, unsigned long long *out)
{
    int64_t found;
    int code = numbers(device, "nvmlDeviceGetTotalEccErrors", type * 10 + counter, &found, 1);

    *out = found;
    return code;
}

/* .<type>.<counter>.<location> */
nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(
    nvmlDevice_t device, unsigned type, unsigned counter, unsigned location, unsigned long long *out)
{
    char value[VALUE_SIZE], key[64];
    int64_t found = 0;
    int code;

    sprintf(key, "nvmlDeviceGetMemoryErrorCounter.%u.%u.%u", type, counter, location);
    code = find(device, "nvmlDeviceGetMemoryErrorCounter", key, NULL, value);
    if (code == SUCCESS)
        split(value, &found, 1);
    *out = found;
    return code;
}

/* aggregate parity, SEC-DED, corrected; volatile the same; five buckets; threshold exceeded */
nvmlReturn_t nvmlDeviceGetSramEccErrorStatus(nvmlDevice_t device, void *status)
{
    struct {
        unsigned version;
        unsigned long long counts[11];
        unsigned exceeded;
    } *out = status;
    int64_t found[12];
    int code;

    if (out->version != 0x1000068)
        return VERSION_MISMATCH;
    code = numbers(device, "nvmlDeviceGetSramEccErrorStatus", -1, found, 12);
    for (int at = 0; at < 11; at++)
        out->counts[at] = found[at];
    out->exceeded = (unsigned)found[11];
    return code;
}

nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned *cor, unsigned *unc, unsigned *pending, unsigned *failed)
{
    int64_t found[4];
    int code = numbers(device, "nvmlDeviceGetRemappedRows", -1, found, 4);

    *cor = (unsigned)found[0], *unc = (unsigned)found[1], *pending = (unsigned)found[2], *failed = (unsigned)found[3];
    return code;
}

/* max, high, partial, low, none */
nvmlReturn_t nvmlDeviceGetRowRemapperHistogram(nvmlDevice_t device, unsigned *out)
{
    int64_t found[5];
    int code = numbers(device, "nvmlDeviceGetRowRemapperHistogram", -1, found, 5);

    for (int at = 0; at < 5; at++)
        out[at] = (unsigned)found[at];
    return code;
}

nvmlReturn_t nvmlDeviceGetRepairStatus(nvmlDevice_t device, unsigned *status)
{
    return status[0] == 0x100000C ? unsigned_two(device, "nvmlDeviceGetRepairStatus", status + 1, status + 2)
                                  : VERSION_MISMATCH;
}

nvmlReturn_t nvmlDeviceGetUnrepairableMemoryFlag_v1(nvmlDevice_t device, unsigned *flag)
{
    return flag[0] == 0x1000008 ? unsigned_one(device, "nvmlDeviceGetUnrepairableMemoryFlag_v1", -1, flag + 1)
                                : VERSION_MISMATCH;
}

UNSIGNED(nvmlDeviceGetRetiredPagesPendingStatus)

/* pid:bytes pid:bytes … */
static nvmlReturn_t processes(nvmlDevice_t device, const char *symbol, unsigned *count, void *infos)
{
    struct {
        unsigned pid;
        unsigned long long used;
        unsigned instance, compute_instance;
    } *out = infos;
    char value[VALUE_SIZE], *rest, *one;
    unsigned room = *count;
    int code = find(device, symbol, NULL, NULL, value);

    if (code != SUCCESS)
        return code;
    *count = 0;
    for (one = strtok_r(value, " ", &rest); one; one = strtok_r(NULL, " ", &rest)) {
        if (*count < room && out) {
            char *colon = strchr(one, ':');

            out[*count].pid = (unsigned)atoi(one);
            out[*count].used = colon ? strtoull(colon + 1, NULL, 0) : ~0ULL;
            out[*count].instance = out[*count].compute_instance = ~0U;
        }
        ++*count;
    }
    return *count > room ? INSUFFICIENT_SIZE : SUCCESS;
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v3(nvmlDevice_t device, unsigned *count, void *infos)
{
    return processes(device, "nvmlDeviceGetComputeRunningProcesses_v3", count, infos);
}

nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t device, unsigned *count, void *infos)
{
    return processes(device, "nvmlDeviceGetComputeRunningProcesses_v3", count, infos);
}

/* --- state -------------------------------------------------------------------------------------------------------- */

UNSIGNED(nvmlDeviceGetPersistenceMode)
UNSIGNED(nvmlDeviceGetComputeMode)
UNSIGNED_TWO(nvmlDeviceGetMigMode)
LONG(nvmlDeviceGetCurrentClocksEventReasons)
LONG(nvmlDeviceGetSupportedClocksEventReasons)
UNSIGNED_BY(nvmlDeviceGetTemperature)
UNSIGNED_BY(nvmlDeviceGetTemperatureThreshold)
UNSIGNED_BY(nvmlDeviceGetClockInfo)
UNSIGNED_BY(nvmlDeviceGetMaxClockInfo)
UNSIGNED(nvmlDeviceGetPerformanceState)
UNSIGNED(nvmlDeviceGetPowerManagementLimit)
UNSIGNED(nvmlDeviceGetPowerManagementDefaultLimit)
UNSIGNED_TWO(nvmlDeviceGetPowerManagementLimitConstraints)
UNSIGNED(nvmlDeviceGetEnforcedPowerLimit)
UNSIGNED(nvmlDeviceGetPowerUsage)
UNSIGNED(nvmlDeviceGetCurrPcieLinkGeneration)
UNSIGNED(nvmlDeviceGetMaxPcieLinkGeneration)
UNSIGNED(nvmlDeviceGetCurrPcieLinkWidth)
UNSIGNED(nvmlDeviceGetMaxPcieLinkWidth)
UNSIGNED(nvmlDeviceGetPcieReplayCounter)

/* The older name, for a driver that lacks the newer one. */
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device, unsigned long long *out)
{
    return nvmlDeviceGetCurrentClocksEventReasons(device, out);
}

nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, unsigned *info)
{
    return info[0] == 0x100000C ? unsigned_one(device, "nvmlDeviceGetTemperature", info[1], info + 2) : VERSION_MISMATCH;
}

nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device, unsigned *info)
{
    return info[0] == 0x1000008 ? unsigned_one(device, "nvmlDeviceGetMarginTemperature", -1, info + 1) : VERSION_MISMATCH;
}

/* field.<id> or field.<id>.<scope>: value and, unless it is an unsigned int, valueType */
nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, void *values)
{
    struct field {
        uint32_t id, scope;
        int64_t timestamp, latency;
        uint32_t type, code;
        uint64_t value;
    } *out = values;
    char value[VALUE_SIZE], key[32], scoped[48];

    if (!initialised)
        return UNINITIALIZED;
    int code = scenario_find(device->index, "nvmlDeviceGetFieldValues", NULL, NULL, value, SUCCESS);

    for (; code == SUCCESS && count-- > 0; out++) {
        int64_t found[2] = {0, 1};

        sprintf(key, "field.%u", out->id);
        sprintf(scoped, "field.%u.%u", out->id, out->scope);
        out->code = (uint32_t)find(device, key, scoped, NULL, value);
        if (out->code == SUCCESS)
            split(value, found, 2);
        out->type = out->code == SUCCESS ? (uint32_t)found[1] : 0;
        /* A signed int fills the lower half of the union only. */
        out->value = out->type == 5 ? (uint32_t)found[0] : (uint64_t)found[0];
    }
    return code;
}

/* --- NVLink and fabric -------------------------------------------------------------------------------------------- */

/* The line `links` holds how many there are; a card without one has none. */
static nvmlReturn_t of_link(nvmlDevice_t device, const char *symbol, unsigned link, unsigned *out)
{
    unsigned links = 0;
    int code = unsigned_one(device, "links", -1, &links);

    if (code != SUCCESS)
        return code;
    return link < links ? unsigned_one(device, symbol, (long)link, out) : INVALID_ARGUMENT;
}

nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned link, unsigned *out)
{
    return of_link(device, "nvmlDeviceGetNvLinkState", link, out);
}

nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned link, unsigned *out)
{
    return of_link(device, "nvmlDeviceGetNvLinkVersion", link, out);
}

nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(nvmlDevice_t device, unsigned link, unsigned *out)
{
    return of_link(device, "nvmlDeviceGetNvLinkRemoteDeviceType", link, out);
}

/* .<index>, .<other GPU>.<index> */
nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t device, nvmlDevice_t other, unsigned index, unsigned *out)
{
    char value[VALUE_SIZE], key[64], pair[64];
    int64_t found = 0;
    int code;

    sprintf(key, "nvmlDeviceGetP2PStatus.%u", index);
    sprintf(pair, "nvmlDeviceGetP2PStatus.%d.%u", other->index, index);
    code = find(device, "nvmlDeviceGetP2PStatus", key, pair, value);
    if (code == SUCCESS)
        split(value, &found, 1);
    *out = (unsigned)found;
    return code;
}

nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t device, nvmlDevice_t other, unsigned *out)
{
    return unsigned_one(device, "nvmlDeviceGetTopologyCommonAncestor", other->index, out);
}

/* state, status, clique, health mask, health summary, UUID as 32 digits; cuts the struct to the version asked for */
static nvmlReturn_t fabric(nvmlDevice_t device, unsigned char *out, int version)
{
    char value[VALUE_SIZE], uuid[33] = "";
    int64_t found[5] = {0};
    unsigned words[4], pair;
    int code = find(device, "nvmlDeviceGetGpuFabricInfoV", NULL, NULL, value);

    if (code != SUCCESS)
        return code;
    split(value, found, 5);
    sscanf(value, "%*s %*s %*s %*s %*s %32s", uuid);
    memset(out, 0, 16);
    for (int at = 0; at < 16 && sscanf(uuid + (uuid[0] ? 2 * at : 0), "%2x", &pair) == 1; at++)
        out[at] = (unsigned char)pair;
    words[0] = (unsigned)found[1], words[1] = (unsigned)found[2], words[2] = (unsigned)found[0], words[3] = (unsigned)found[3];
    memcpy(out + 16, words, version > 1 ? 16 : 12);
    if (version > 2)
        out[32] = (unsigned char)found[4];
    return SUCCESS;
}

nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, unsigned char *out)
{
    return fabric(device, out, 1);
}

/* The line `fabric_version` holds the newest version that the driver knows; without it that is 3. */
nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, unsigned char *out)
{
    unsigned known = 3, version;

    unsigned_one(device, "fabric_version", -1, &known);
    memcpy(&version, out, sizeof version);
    if ((version != 0x3000028 || known < 3) && version != 0x2000024)
        return VERSION_MISMATCH;
    return fabric(device, out + 4, version >> 24);
}

/* --- setters: they record what was set, and getters then say it ----------------------------------------------------- */

static nvmlReturn_t set(nvmlDevice_t device, const char *symbol, const char *getter, const char *format, unsigned a, unsigned b)
{
    char value[VALUE_SIZE];
    int code;

    if (!initialised)
        return UNINITIALIZED;
    code = scenario_find(device->index, symbol, NULL, NULL, value, SUCCESS);
    if (code != SUCCESS)
        return code;
    snprintf(value, sizeof value, format, a, b);
    if (!scenario_record(device->index, symbol, value))
        return NO_PERMISSION;
    return !getter || scenario_record(device->index, getter, value) ? SUCCESS : NO_PERMISSION;
}

nvmlReturn_t nvmlDeviceSetPersistenceMode(nvmlDevice_t device, unsigned mode)
{
    return set(device, "nvmlDeviceSetPersistenceMode", "nvmlDeviceGetPersistenceMode", "%u", mode, 0);
}

nvmlReturn_t nvmlDeviceSetComputeMode(nvmlDevice_t device, unsigned mode)
{
    return set(device, "nvmlDeviceSetComputeMode", "nvmlDeviceGetComputeMode", "%u", mode, 0);
}

nvmlReturn_t nvmlDeviceSetPowerManagementLimit(nvmlDevice_t device, unsigned milliwatts)
{
    unsigned least = 0, most = 0;
    int code = nvmlDeviceGetPowerManagementLimitConstraints(device, &least, &most);

    if (code != SUCCESS)
        return code;
    if (milliwatts < least || milliwatts > most)
        return INVALID_ARGUMENT;
    code = set(device, "nvmlDeviceSetPowerManagementLimit", "nvmlDeviceGetPowerManagementLimit", "%u", milliwatts, 0);
    if (code == SUCCESS)
        code = set(device, "nvmlDeviceSetPowerManagementLimit", "nvmlDeviceGetEnforcedPowerLimit", "%u", milliwatts, 0);
    return code;
}

nvmlReturn_t nvmlDeviceSetGpuLockedClocks(nvmlDevice_t device, unsigned least, unsigned most)
{
    return set(device, "nvmlDeviceSetGpuLockedClocks", NULL, "%u %u", least, most);
}

nvmlReturn_t nvmlDeviceResetGpuLockedClocks(nvmlDevice_t device)
{
    return set(device, "nvmlDeviceResetGpuLockedClocks", NULL, "", 0, 0);
}

nvmlReturn_t nvmlDeviceSetMemoryLockedClocks(nvmlDevice_t device, unsigned least, unsigned most)
{
    return set(device, "nvmlDeviceSetMemoryLockedClocks", NULL, "%u %u", least, most);
}

nvmlReturn_t nvmlDeviceResetMemoryLockedClocks(nvmlDevice_t device)
{
    return set(device, "nvmlDeviceResetMemoryLockedClocks", NULL, "", 0, 0);
}

/* Takes effect at the next reset: only the pending mode changes. */
nvmlReturn_t nvmlDeviceSetEccMode(nvmlDevice_t device, unsigned mode)
{
    unsigned current = 0, pending = 0;
    int code = nvmlDeviceGetEccMode(device, &current, &pending);

    return code == SUCCESS ? set(device, "nvmlDeviceSetEccMode", "nvmlDeviceGetEccMode", "%u %u", current, mode) : code;
}

/* Hopper and newer change at once; the line `mig_needs_reset` makes it wait for a reset (16), as on an A100. */
nvmlReturn_t nvmlDeviceSetMigMode(nvmlDevice_t device, unsigned mode, nvmlReturn_t *activation)
{
    unsigned current = 0, pending = 0, waits = 0;
    int code = nvmlDeviceGetMigMode(device, &current, &pending);

    if (code != SUCCESS)
        return code;
    unsigned_one(device, "mig_needs_reset", -1, &waits);
    *activation = waits ? 16 : SUCCESS;
    return set(device, "nvmlDeviceSetMigMode", "nvmlDeviceGetMigMode", "%u %u", waits ? current : mode, mode);
}
