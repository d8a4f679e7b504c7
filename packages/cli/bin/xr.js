#!/usr/bin/env node
import './xr.cjs';
