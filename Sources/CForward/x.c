#include "CForward.h"
