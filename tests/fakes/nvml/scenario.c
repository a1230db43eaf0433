/* Copyright: (c) 2026, The gpufleet founders
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 */
#include "scenario.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINES 4096
#define EVERY_GPU (-2)

typedef struct {
    int who;
    char *key;
    char *value;
} line_t;

static line_t lines[LINES];
static int count;
static int loaded;
static char recorded[PATH_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add(int who, const char *key, const char *value)
{
    if (count == LINES) {
        fprintf(stderr, "fake NVML: more than %d lines\n", LINES);
        abort();
    }
    lines[count++] = (line_t){who, strdup(key), strdup(value)};
}

static void read_line(char *text, const char *path);

static int read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char text[VALUE_SIZE * 2];

    if (!file)
        return 0;
    while (fgets(text, sizeof text, file))
        read_line(text, path);
    fclose(file);
    return 1;
}

static void read_line(char *text, const char *path)
{
    char *rest, *who = strtok_r(text, " \t\n", &rest), *key, *value;

    if (!who || *who == '#' || !strcmp(who, "absent")) /* absent symbols are left out by build.py */
        return;
    key = strtok_r(NULL, " \t\n", &rest);
    if (!strcmp(who, "include") && key) {
        char folder[PATH_MAX], file[PATH_MAX * 2];

        snprintf(folder, sizeof folder, "%s", path);
        snprintf(file, sizeof file, "%s/%s", *key == '/' ? "" : dirname(folder), key);
        if (!read_file(file)) {
            fprintf(stderr, "fake NVML: %s cannot be read\n", file);
            abort();
        }
        return;
    }
    value = strtok_r(NULL, "\n", &rest);
    if (!key || (strcmp(who, "system") && strcmp(who, "*") && (*who < '0' || *who > '9'))) {
        fprintf(stderr, "fake NVML: a line of %s begins with %s\n", path, who);
        abort();
    }
    add(!strcmp(who, "system") ? SYSTEM : !strcmp(who, "*") ? EVERY_GPU : atoi(who), key, value ? value : "");
}

int scenario_load(void)
{
    pthread_mutex_lock(&lock);
    if (!loaded) {
        const char *path = getenv("GPUFLEET_FAKE_NVML"), *set = getenv("GPUFLEET_FAKE_NVML_SET");

        if (path && read_file(path)) {
            snprintf(recorded, sizeof recorded, "%s%s", set ? set : path, set ? "" : ".set");
            read_file(recorded);
            loaded = 1;
        }
    }
    pthread_mutex_unlock(&lock);
    return loaded;
}

static int is(const char *wanted, const char *key)
{
    return wanted && *wanted && !strcmp(wanted, key);
}

/* Copy a value; %d in it stands for the number of the GPU. */
static void expand(const char *from, int who, char *to)
{
    char *end = to + VALUE_SIZE - 16;

    while (*from && to < end) {
        if (from[0] == '%' && from[1] == 'd') {
            to += sprintf(to, "%d", who);
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    *to = 0;
}

int scenario_find(int who, const char *key, const char *narrower, const char *narrowest, char *value, int absent)
{
    int at;

    pthread_mutex_lock(&lock);
    for (at = count - 1; at >= 0; at--) {
        const line_t *one = &lines[at];

        if (one->who != who && !(one->who == EVERY_GPU && who >= 0))
            continue;
        if (is(key, one->key) || is(narrower, one->key) || is(narrowest, one->key) || !strcmp(one->key, "*"))
            break;
    }
    if (at >= 0)
        expand(lines[at].value, who, value);
    pthread_mutex_unlock(&lock);
    if (at < 0)
        return absent;
    if (*value == '!')
        return atoi(value + 1);
    while (!strcmp(value, "hang"))
        sleep(3600);
    if (!strcmp(value, "crash"))
        abort();
    return SUCCESS;
}

int scenario_record(int who, const char *key, const char *value)
{
    FILE *file;

    pthread_mutex_lock(&lock);
    file = fopen(recorded, "a");
    if (file) {
        fprintf(file, "%d %s %s\n", who, key, value);
        fclose(file);
        add(who, key, value);
    }
    pthread_mutex_unlock(&lock);
    return file != NULL;
}
