# SPDX-License-Identifier: MIT
include %D%/catalog.mk
include %D%/facts.mk
include %D%/plugin.mk
include %D%/package.mk
include %D%/seal.mk
include %D%/run.mk
include %D%/workflow.mk
include %D%/xml.mk
