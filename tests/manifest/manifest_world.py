"""The manifest of docs/manifest.md, so that tests of it run where the documentation is not."""

EXAMPLE = """\
version: 1
tenant: local
principal: bank:acme                       # the accountable party; `tenant:local` if left out

tools:                                     # what each one does; see docs/policy.md
  pay_invoice: {impact: payment, targets: [account], amount: amount, unit: USD, reversal: compensate}
  read_ticket: {impact: read, source_trust: 300, labels: [pii]}
  "crm_*": {impact: read, system: crm, source_trust: 800, labels: [pii]}
  crm_delete: {impact: delete, system: crm}  # an exact name wins over a pattern

agents:
  loan-desk:
    owner: ana@bank.example
    purpose: answers customers and pays small refunds
    privilege: high                        # low, standard, high, critical
    regulated: [gdpr, pci]
    data_scope: [pii]                      # data labels it may see; default any
    tools:
      read_ticket: any                     # any arguments that its schema names
      crm_delete: {id: {pattern: "C-[0-9]+"}}
      pay_invoice:
        account: {one_of: [ACC-1, ACC-2]}
        amount: {min: 1, max: 500}
    models: [gpt]
    budgets:
      step: {session: 40, ceiling: 120, per_day: 2000}
      risk: {session: 600}
      USD: {per_action: "500.00", session: "2000.00", ceiling: "5000.00", per_day: "20000.00"}
      time: {session: 2h, ceiling: 6h}
    decay: {half_life: 30m, steps: 20, risk: 200, reauthorize_below: 5%}
    floors: {payment: 50%, read: 5%}
    bands: [{risk: 200, authority: 40%}]
    hand_off: [clerk]
    approvers: [mia@bank.example]          # who is asked; never the owner
    lifetime: 90d
    session_lifetime: 8h
  clerk:
    owner: ben@bank.example
    tools: [read_ticket]
    hand_off: [loan-desk]                  # circles are allowed: handing back closes the link

models:
  gpt: {}
"""
