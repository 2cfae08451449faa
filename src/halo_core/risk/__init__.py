"""Risk of actions and sessions, as pure functions in integers.

Halo has four kinds of risk:

- action risk (0..1000): how much one action looks like hijacked work, from its features and circumstances
  (`action_risk`, over `observation`, `features`, `baseline`, `model` and `circumstances`);
- session risk (0..1000): the action risks of a session combined (`action_risk`);
- event risk (0..1000): how unusual a sign-in or change at the identity provider is (`halo_core.identities.event_risk`);
- budget risk points: what an action spends of a passport's risk budget, set by its impact (`halo_core.authority`); a
  price, not an estimate.

`drift` compares the habits of an agent's sessions with those of its past.
"""
