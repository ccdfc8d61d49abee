// The guest's side of the ABI: the zkvm-standards entry points over three
// system calls (a7 = 93 exit, 64 write, 63 read).
#pragma once
#include <stddef.h>
#include <stdint.h>

// The whole private input. Repeated calls return the same bytes.
void read_input(const uint8_t **data, size_t *size);

// Appends to the public output.
void write_output(const uint8_t *data, size_t size);

// Ends the program; the exit code is public.
_Noreturn void exit(int code);

// Exits with code 1.
_Noreturn void abort(void);

// Prints one line on the debug channel and aborts.
_Noreturn void fail(const char *message);

// Writes a word to the public output, little-endian.
void write_u32(uint32_t word);

// The size parameter n: the first four bytes of the private input. `rest`
// receives what follows; with rest == NULL, nothing may follow.
uint32_t read_size(const uint8_t **rest, size_t *rest_size);
