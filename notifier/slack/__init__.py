"""The face inside Slack.

arrival, journal        what comes in, taken down by its key before it is acknowledged; the only way in
http, socket            the two roads of arrival: signed requests, and a kept WebSocket
signature               whether a request was signed by Slack
inbox                   the worker: what was taken is done from the database, each once
routes, desk            which payload is what, by slack-bolt; done in one transaction with what is to be said
asking                  who asks, from where, and what they may touch
grammar, lines, fields  pure: the words of /papers; rules as lines of text; what stands in a form
work                    what a piece of work is: it ends in calls
verbs, joining, forms, entries, linking, home, events, friday, buttons      what people do, as pieces of work
proposing               pure: terms for a rule, drawn from one paper
answers                 what is shown
calls                   calls to Slack, as they are kept and as they are made
workspaces, install     which workspaces there are, and how the app comes into one
face                    all of it put together
"""
