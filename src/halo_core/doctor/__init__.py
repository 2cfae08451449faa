"""What the adapters' doctors share: findings, and a look into an app's objects."""
