"""Room: `halo doctor` for LlamaIndex. Takes: an app. Gives: findings. Never: runs anything of the app's, decides."""
