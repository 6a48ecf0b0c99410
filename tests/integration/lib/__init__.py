# SPDX-License-Identifier: Apache-2.0
"""What the integration tests and the demo share: the program, data, and ways to compare."""
