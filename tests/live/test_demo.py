# SPDX-License-Identifier: MIT
"""What the README begins with: `make demo`, but for what it installs and builds."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from server import BINARY, LIMIT_S, TREE, need

SIDE_BY_SIDE = True


class Demo(unittest.TestCase):

    @need("curl")
    def test_it_serves_a_file_and_leaves_nothing(self):
        with tempfile.TemporaryDirectory(prefix="cubftpd-demo-") as folder:
            Path(folder, "cubftpd").symlink_to(BINARY)
            demo = subprocess.Popen(
                [TREE / "tools" / "demo.sh", folder], env={**os.environ, "DEMO_ONCE": "1"},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True)
            try:
                said, _ = demo.communicate(timeout=2 * LIMIT_S)
            finally:
                demo.terminate()  # then it ends its server
                demo.wait()
            self.assertEqual(demo.returncode, 0, said)
            self.assertIn("\nHello from cubftpd.\n", said)
            self.assertEqual(os.listdir(folder), ["cubftpd"])


if __name__ == "__main__":
    unittest.main()
