#!/usr/bin/env python3
"""The objects of manifests, as the API server and controllers would store them.

usage: pods.py DIRECTORY NODE MANIFEST...

Writes KIND.NAME.json for api.py and prints the name of each Pod. A Deployment
or StatefulSet becomes its first Pod; a claim becomes a directory of the host,
DIRECTORY/claims/NAME, which outlives the Pod.
"""
import json
import os
import sys
import time
import uuid

import yaml

where, node = sys.argv[1:3]


def default(thing, **values):
    for key, value in values.items():
        thing.setdefault(key, value)


def default_probe(probe):
    default(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1,
            failureThreshold=3)
    if 'httpGet' in probe:
        default(probe['httpGet'], path='/', scheme='HTTP')


def default_container(container):
    default(container, imagePullPolicy='IfNotPresent', resources={},
            terminationMessagePath='/dev/termination-log',
            terminationMessagePolicy='File')
    for port in container.get('ports', []):
        default(port, protocol='TCP')
    for name in 'livenessProbe', 'readinessProbe', 'startupProbe':
        if name in container:
            default_probe(container[name])
    for hook in container.get('lifecycle', {}).values():
        if 'httpGet' in hook:
            default(hook['httpGet'], path='/', scheme='HTTP')
    # What is limited and not requested is requested as it is limited.
    limits = container['resources'].get('limits')
    if limits:
        default(container['resources'].setdefault('requests', {}), **limits)


def default_items(source):
    for item in source.get('items', []):
        if 'fieldRef' in item:
            default(item['fieldRef'], apiVersion='v1')


def default_volume(volume):
    for kind in 'configMap', 'secret', 'downwardAPI', 'projected':
        if kind in volume:
            default(volume[kind], defaultMode=0o644)
            default_items(volume[kind])
    for source in volume.get('projected', {}).get('sources', []):
        default_items(source.get('downwardAPI', {}))
        if 'serviceAccountToken' in source:
            default(source['serviceAccountToken'], expirationSeconds=3600,
                    audience='tests')
    if 'hostPath' in volume:
        default(volume['hostPath'], type='')


def default_pod(pod):
    spec = pod['spec']
    default(spec, restartPolicy='Always', terminationGracePeriodSeconds=30,
            dnsPolicy='Default', securityContext={}, schedulerName='tests',
            nodeName=node, serviceAccountName='default',
            enableServiceLinks=False)
    for container in spec['containers'] + spec.get('initContainers', []):
        default_container(container)
    for volume in spec.get('volumes', []):
        default_volume(volume)


def write(thing):
    meta = thing['metadata']
    default(meta, namespace='default', uid=str(uuid.uuid4()),
            creationTimestamp=time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()))
    path = f"{where}/{thing['kind']}.{meta['name']}.json"
    with open(path + '.new', 'w', encoding='utf-8') as file:
        json.dump(thing, file)
    os.rename(path + '.new', path)


def first_pod(owner):
    """What the controller of this owner would make first."""
    template = owner['spec']['template']
    pod = {'apiVersion': 'v1', 'kind': 'Pod', 'spec': template['spec'],
           'metadata': dict(template.get('metadata', {}),
                            name=owner['metadata']['name'] + '-0')}
    for claim in owner['spec'].get('volumeClaimTemplates', []):
        path = f"{os.path.abspath(where)}/claims/{pod['metadata']['name']}"
        pod['spec'].setdefault('volumes', []).append(
            {'name': claim['metadata']['name'],
             'hostPath': {'path': path, 'type': 'DirectoryOrCreate'}})
    return pod


for manifest in sys.argv[3:]:
    with open(manifest, encoding='utf-8') as text:
        things = list(yaml.safe_load_all(text))
    for thing in things:
        if not thing or thing['kind'] == 'Service':
            continue
        if thing['kind'] in ('Deployment', 'StatefulSet'):
            thing = first_pod(thing)
        if thing['kind'] == 'Secret':
            import base64
            thing['data'] = dict(thing.get('data', {}), **{
                key: base64.b64encode(value.encode()).decode()
                for key, value in thing.pop('stringData', {}).items()})
        if thing['kind'] == 'Pod':
            default_pod(thing)
            thing.setdefault('status', {'phase': 'Pending'})
            print(thing['metadata']['name'])
        write(thing)
