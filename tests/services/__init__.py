# SPDX-License-Identifier: Apache-2.0
"""Real servers for tests, the demo and the benchmark, started on free ports and stopped again.

Standard library only, but for the clients of object stores. What is downloaded lies in the cache
folder; what a server writes lies in its data folder. Servers die with the program that started
them, however that ends.
"""

from .azurite import AzuriteServer
from .debian import DebianRoot
from .milvus import MilvusServer
from .peer import Peer, PeerError
from .process import ServerError
from .s3 import MinioServer, VersityServer

__all__ = ["AzuriteServer", "DebianRoot", "MilvusServer", "MinioServer", "Peer", "PeerError", "ServerError",
           "VersityServer"]
