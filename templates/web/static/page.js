// What pages do beyond what they do without scripts.
"use strict";
