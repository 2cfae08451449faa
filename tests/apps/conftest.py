"""Applications as tests; this file puts the folder on the path, where `counting` is."""

import pytest

pytest.register_assert_rewrite("counting", "lc_app_parts", "li_app_parts", "oa_app_parts")
