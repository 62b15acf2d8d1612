/*
 * The number of elements of an array, for arrays whose size the compiler knows.
 */
#ifndef ONEVISOR_ARRAY_H
#define ONEVISOR_ARRAY_H

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
