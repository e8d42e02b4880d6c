#include "table.h"
#define NAME(f) cf_portable_##f
#include "loops.h"
