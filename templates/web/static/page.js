// What pages do beyond what they do without scripts.
"use strict";

// A zone that nobody chose yet is the browser's own.
for (const field of document.querySelectorAll("[data-zone]:not([data-chosen])")) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && (field.tagName !== "SELECT" || [...field.options].some((each) => each.value === zone))) field.value = zone;
}

// What a browser brought back from elsewhere is sent on without another press.
for (const form of document.querySelectorAll("form[data-press]")) form.requestSubmit();
