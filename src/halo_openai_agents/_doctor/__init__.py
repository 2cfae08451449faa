"""Room: `halo doctor` for the OpenAI Agents SDK. Takes: an app. Gives: findings. Never: runs anything of the app's."""
