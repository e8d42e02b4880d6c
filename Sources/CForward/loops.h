// The loops of one path; included once for each, with NAME defined.
#include "loops/values.h"
#include "loops/products.h"
#include "loops/conv.h"
#include "loops/winograd.h"
#include "loops/attention.h"
#include "loops/norms.h"
#include "loops/rows.h"
