"""The face inside Slack.

arrival, journal     what comes in, taken down by its key before it is acknowledged; the only way in
http, socket    the two roads of arrival: signed requests, and a kept WebSocket
signature   whether a request was signed by Slack
inbox       the worker: what was taken is done from the database, each once
routes      which payload is what, by slack-bolt
asking      who asks, from where, and what they may touch
grammar, lines      pure: the words of /papers; rules as lines of text
verbs, forms, entries, home, events     what people do, each a piece of work on the store that ends in calls
answers, blocks     what is shown
calls       calls to Slack, as they are kept and as they are made
workspaces, install      which workspaces there are, and how the app comes into one
face        all of it put together
"""
