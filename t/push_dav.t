#!/usr/bin/perl

# Copyright (C) The ngx_registry_module authors

# Tests for pushing, as in push.t, on a local store.

###############################################################################

use warnings;
use strict;

use FindBin;

$ENV{TEST_REGISTRY_STORE} = 'dav';

do "$FindBin::Bin/push.t";
die $@ if $@;

###############################################################################
