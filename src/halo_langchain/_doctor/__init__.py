"""Room: the doctor, what of an app is decided before it runs. Takes: an app. Gives: findings. Never: runs it."""
