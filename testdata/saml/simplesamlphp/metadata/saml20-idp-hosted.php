<?php
$idp = json_decode(file_get_contents(getenv('SSP_FOLDER') . '/idp.json'), true);
$metadata['__DYNAMIC:1__'] = ['host' => '__DEFAULT__', 'auth' => 'people'] + $idp['keys'];
