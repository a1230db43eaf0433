/* Copyright: (c) 2026, The gpufleet founders
 * GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the fake NVML answers, read from the file that the environment variable GPUFLEET_FAKE_NVML names.
 * README.md beside this file describes its lines.
 */
#ifndef GPUFLEET_SCENARIO_H
#define GPUFLEET_SCENARIO_H

#include <stddef.h>

/* Return codes of nvml.h. */
enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NO_PERMISSION = 4,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    VERSION_MISMATCH = 25,
    UNKNOWN = 999,
};

/* Lines of the whole node, not of a GPU. */
#define SYSTEM (-1)

/* Longest value of a line. */
#define VALUE_SIZE 512

/* Read the file once, and what setters recorded beside it; returns 0 when it cannot be read. */
int scenario_load(void);

/* Find the last line of `who` whose key is one of the three (NULL or "" for none). Writes its value and returns SUCCESS,
 * or the code that the line holds; `absent` when there is no such line. Sleeps for ever on "hang", aborts on "crash". */
int scenario_find(int who, const char *key, const char *narrower, const char *narrowest, char *value, int absent);

/* Remember a line for the rest of this process and for later ones; returns 0 when it cannot be kept. */
int scenario_record(int who, const char *key, const char *value);

#endif
